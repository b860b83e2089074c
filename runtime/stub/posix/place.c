#include "place.h"

#include "place_folder.h"
#include "place_list.h"
#include "system_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Add `base` and `rest`; a base that is unset or not absolute is left out. */
static struct place *add(struct place_list *list, const char *base, const char *rest)
{
    return base && *base == '/' ? add_place(list, base, rest) : NULL;
}

static void add_home(struct place_list *list)
{
    struct place *place = add(list, getenv("HOME"), HOME_CACHE);
    if (place)
        place->max_new_folders = 2;
}

static void add_shared(struct place_list *list, const char *base)
{
    char rest[32];
    snprintf(rest, sizeof rest, "/solofile-%lu", (unsigned long)geteuid());
    struct place *place = add(list, base, rest);
    if (place)
        place->max_new_folders = 1, place->is_shared = true;
}

static void add_beside(struct place_list *list, const char *solofile)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(solofile, '/') - solofile), solofile);
    struct place *place = add(list, *folder ? folder : "/", *folder ? "/.solofile" : ".solofile");
    if (place)
        place->max_new_folders = 1;
}

static void add_chosen(struct place_list *list, const char *chosen)
{
    char here[PATH_BYTES] = "", rest[PATH_BYTES];
    if (*chosen != '/' && !getcwd(here, sizeof here))
        fail(EXIT_RESOURCE, "The folder %s to unpack into cannot be found, the current folder is gone; "
                            "give it a path that begins with /.", chosen);
    snprintf(rest, sizeof rest, "%s%s", *here ? "/" : "", *here ? chosen : "");
    struct place *place = add(list, *here ? here : chosen, rest);
    if (!place)
        fail(EXIT_RESOURCE, "The folder to unpack into is too long a path; give it a shorter one.");
    place->is_chosen = true;
}

int list_places(struct place places[MAX_PLACES], const char *solofile, const char *unpack_dir)
{
    struct place_list list = {places, 0};
    const char *chosen = unpack_dir ? unpack_dir : getenv("SOLOFILE_CACHE");
    if (chosen && *chosen) {
        add_chosen(&list, chosen);
        return list.num_places;
    }
    add(&list, getenv("XDG_CACHE_HOME"), "/solofile");
    add_home(&list);
    add_shared(&list, getenv("TMPDIR"));
    for (const char *const *folder = SHARED_FOLDERS; *folder; folder++)
        add_shared(&list, *folder);
    add_beside(&list, solofile);
    return list.num_places;
}

static bool make_folders(const char *path, int max_new_folders)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    const char *slash = strrchr(path, '/');
    if (errno != ENOENT || max_new_folders < 2 || slash == path)
        return false;
    char parent[PATH_BYTES];
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    return make_folders(parent, max_new_folders - 1) && (mkdir(path, 0700) == 0 || errno == EEXIST);
}

bool is_trusted(uid_t owner, mode_t mode)
{
    return (owner == geteuid() || owner == 0) && !(mode & (S_IWGRP | S_IWOTH));
}

/* Whether nobody but us (or root) decides what lies in this place. */
static bool is_ours(const struct place *place, int folder, struct reason *why)
{
    struct stat status;
    if (fstat(folder, &status) != 0)
        return refuse_errno(why, place->path);
    if (place->is_chosen)
        return true;
    bool may_be_roots = !place->is_shared && status.st_uid == 0;
    if (status.st_uid != geteuid() && !may_be_roots)
        return refuse(why, "%s belongs to another user", place->path);
    if (place->is_shared && !is_trusted(status.st_uid, status.st_mode))
        return refuse(why, "%s is writable by other users", place->path);
    return true;
}

static bool may_run_programs(const struct place *place, int folder, struct reason *why)
{
    bool is_noexec;
    if (!find_noexec(folder, &is_noexec))
        return refuse_errno(why, place->path);
    if (is_noexec)
        return refuse(why, "%s is on a file system mounted noexec", place->path);
    return true;
}

static int open_runtime(const struct place *place, int folder, struct reason *why)
{
    if (mkdirat(folder, "runtime", 0755) != 0 && errno != EEXIST) {
        refuse_errno(why, place->path);
        return -1;
    }
    struct stat status;
    int runtime = openat(folder, "runtime", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (runtime < 0 || fstat(runtime, &status) != 0)
        refuse_errno(why, place->path);
    else if (!is_trusted(status.st_uid, status.st_mode))
        refuse(why, "%s/runtime belongs to or is writable by other users", place->path);
    else
        return runtime;
    if (runtime >= 0)
        close(runtime);
    return -1;
}

int open_place(const struct place *place, struct reason *why)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (place->is_shared ? O_NOFOLLOW : 0);
    int folder = make_folders(place->path, place->max_new_folders) ? open(place->path, flags) : -1;
    if (folder < 0) {
        refuse_errno(why, place->path);
        return -1;
    }
    int runtime = -1;
    if (is_ours(place, folder, why) && may_run_programs(place, folder, why))
        runtime = open_runtime(place, folder, why);
    close(folder);
    return runtime;
}
