/* The launcher of a solofile: unpacks the runtime once per machine, then hands over to it.
 *
 * The file it starts from is a zip archive behind this program. Its entry runtime.pkg is unpacked
 * into a folder named by its digest; every later start finds that folder and runs at once.
 *
 * What lies in this folder is the same on every system. Each system's own folder has its part of
 * the headers here. */
#include "archive.h"
#include "arguments.h"
#include "folder.h"
#include "launch.h"
#include "message.h"
#include "own_file.h"
#include "place.h"
#include "start.h"
#include "system.h"

#include <string.h>

_Noreturn static void fail_without_place(const struct reason *reasons, int num_places)
{
    char text[MAX_PLACES * (sizeof reasons->text + 2)] = "";
    for (int i = 0; i < num_places; i++) {
        strcat(text, i ? "; " : "");
        strcat(text, reasons[i].text);
    }
    fail(EXIT_RESOURCE, "There is no place to unpack the runtime: %s. To start it, " CHOOSE_PLACE ".",
         text);
}

static void find_runtime(int solofile, const char *path, const char *unpack_dir,
                         const struct package *package, struct runtime *runtime)
{
    static struct place places[MAX_PLACES];
    static struct reason reasons[MAX_PLACES];
    int num_places = list_places(places, path, unpack_dir);
    for (int i = 0; i < num_places; i++) {
        if (!settle(&places[i], solofile, package, runtime, &reasons[i]))
            continue;
        if (i && runtime->is_new)
            say("Unpacked the runtime into %s, because %s.", places[i].path, reasons[0].text);
        return;
    }
    fail_without_place(reasons, num_places);
}

void launch(int num_arguments, char **arguments)
{
    static char path[PATH_BYTES];
    static struct runtime runtime;
    struct package package;
    name_program(num_arguments, arguments[0]);
    const char *unpack_dir = find_unpack_dir(arguments);
    int solofile = open_self(path);
    find_package(solofile, path, &package);
    check_system(&package);
    find_runtime(solofile, path, unpack_dir, &package, &runtime);
    start_runtime(&runtime, path, arguments);
}
