#include "threads.h"

#include <windows.h>

struct call {
    void (*work)(void *);
    void *argument;
};

static DWORD WINAPI run(void *call_)
{
    const struct call *call = call_;
    call->work(call->argument);
    return 0;
}

void work_together(void (*work)(void *), void *argument)
{
    struct call call = {work, argument};
    HANDLE others[MAX_THREADS];
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    DWORD num_others = 0;
    while (num_others < MAX_THREADS - 1 && num_others + 1 < system.dwNumberOfProcessors &&
           (others[num_others] = CreateThread(NULL, 0, run, &call, 0, NULL)))
        num_others++;
    work(argument);
    for (DWORD i = 0; i < num_others; i++) {
        WaitForSingleObject(others[i], INFINITE);
        CloseHandle(others[i]);
    }
}
