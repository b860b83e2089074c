/* Work on all processors at once. */
#ifndef THREADS_H
#define THREADS_H

/* More are no quicker: then the disk is what takes time. */
enum { MAX_THREADS = 8 };

/* Call `work` on this thread and on as many others as there are more processors, and wait until
 * every call has returned. Where a thread cannot be had, there are fewer. */
void work_together(void (*work)(void *), void *argument);

#endif
