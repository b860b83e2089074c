/* The launcher of a solofile: unpacks the runtime once per machine, then becomes it.
 *
 * The file it starts from is a zip archive behind this program. Its entry runtime.pkg is unpacked
 * into a folder named by its digest; every later start finds that folder and runs at once. There
 * is no child process and nothing is left to clean up when the runtime ends. */
#include "archive.h"
#include "environment.h"
#include "folder.h"
#include "message.h"
#include "place.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* The frozen program and its archive, as builder/kit/freeze.py names them. */
#define PROGRAM "solofile-runtime"
#define ARCHIVE PROGRAM ".pkg"

static const char CHOOSE_PLACE[] =
    "set SOLOFILE_CACHE to a writable folder on a disk that programs may be started from";

/* Open the file this process was started from, and write down its absolute path. */
static int open_self(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size > 0) {
        path[size] = '\0';
        int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (file >= 0)
            return file;
    }
    /* Where /proc is not mounted, the kernel's word on what it executed has to do. */
    const char *executed = (const char *)getauxval(AT_EXECFN);
    int file = executed && realpath(executed, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        fail(EXIT_UNSUPPORTED, "The file cannot read itself, %s; make it readable with chmod +r.",
             strerror(errno));
    return file;
}

_Noreturn static void fail_without_place(const struct reason *reasons, int num_places)
{
    char text[MAX_PLACES * (sizeof reasons->text + 2)] = "";
    for (int i = 0; i < num_places; i++) {
        strcat(text, i ? "; " : "");
        strcat(text, reasons[i].text);
    }
    fail(EXIT_RESOURCE, "There is no place to unpack the runtime: %s. To start it, %s.", text,
         CHOOSE_PLACE);
}

static void find_runtime(int solofile, const char *path, const struct package *package,
                         struct runtime *runtime)
{
    static struct place places[MAX_PLACES];
    static struct reason reasons[MAX_PLACES];
    int num_places = list_places(places, path);
    for (int i = 0; i < num_places; i++) {
        if (!settle(&places[i], solofile, package, runtime, &reasons[i]))
            continue;
        if (i && runtime->is_new)
            say("Unpacked the runtime into %s, because %s.", places[i].path, reasons[0].text);
        return;
    }
    fail_without_place(reasons, num_places);
}

_Noreturn static void fail_to_start(const char *program)
{
    fail(EXIT_UNSUPPORTED, "Could not start %s, %s; %s.", program, strerror(errno), CHOOSE_PLACE);
}

_Noreturn static void start(const struct runtime *runtime, const char *solofile, char **arguments)
{
    char folder[PATH_MAX], program[PATH_MAX + NAME_MAX];
    if (!realpath(runtime->path, folder))
        strcpy(folder, runtime->path);
    snprintf(program, sizeof program, "%s/%s", folder, PROGRAM);
    if (!prepare_environment(solofile, folder, ARCHIVE))
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    execv(program, arguments);
    fail_to_start(program);
}

int main(int num_arguments, char **arguments)
{
    static char path[PATH_MAX];
    static struct runtime runtime;
    struct package package;
    name_program(num_arguments, arguments[0]);
    int solofile = open_self(path);
    find_package(solofile, &package);
    check_system(&package);
    /* The package's own modes hold, whatever mask the user has; the runtime gets it back. */
    mode_t mask = umask(022);
    find_runtime(solofile, path, &package, &runtime);
    umask(mask);
    start(&runtime, path, arguments);
}
