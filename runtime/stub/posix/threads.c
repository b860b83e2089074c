#include "threads.h"

#include <pthread.h>
#include <unistd.h>

struct call {
    void (*work)(void *);
    void *argument;
};

static void *run(void *call_)
{
    const struct call *call = call_;
    call->work(call->argument);
    return NULL;
}

void work_together(void (*work)(void *), void *argument)
{
    struct call call = {work, argument};
    pthread_t others[MAX_THREADS];
    long num_processors = sysconf(_SC_NPROCESSORS_ONLN);
    int num_others = 0;
    while (num_others < MAX_THREADS - 1 && num_others < num_processors - 1 &&
           pthread_create(&others[num_others], NULL, run, &call) == 0)
        num_others++;
    work(argument);
    for (int i = 0; i < num_others; i++)
        pthread_join(others[i], NULL);
}
