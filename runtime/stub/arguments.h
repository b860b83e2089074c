/* What of the command line is for the launcher. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

/* Return the folder that `--unpack-dir FOLDER` or `--unpack-dir=FOLDER` names, or NULL. The
 * runtime gets all arguments and drops these. Does not return where the folder is missing. */
const char *find_unpack_dir(char **arguments);

#endif
