/* From the first instruction to the runtime, on every system. */
#ifndef LAUNCH_H
#define LAUNCH_H

/* Find or unpack the runtime, and start it.
 * Args:
 *   arguments: Those of this process, in UTF-8, the program's name first. */
_Noreturn void launch(int num_arguments, char **arguments);

#endif
