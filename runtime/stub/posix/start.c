#include "start.h"

#include "environment.h"
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The frozen program and its archive, as builder/kit/freeze.py names them. */
#define PROGRAM "solofile-runtime"
#define ARCHIVE PROGRAM ".pkg"

_Noreturn static void fail_to_start(const char *program)
{
    fail(EXIT_UNSUPPORTED, "Could not start %s, %s; " CHOOSE_PLACE ".", program,
         strerror(errno));
}

void start_runtime(const struct runtime *runtime, const char *solofile, char **arguments)
{
    char folder[PATH_BYTES], program[PATH_BYTES + NAME_MAX];
    if (!realpath(runtime->path, folder))
        strcpy(folder, runtime->path);
    snprintf(program, sizeof program, "%s/%s", folder, PROGRAM);
    if (!prepare_environment(solofile, folder, ARCHIVE))
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    execv(program, arguments);
    fail_to_start(program);
}
