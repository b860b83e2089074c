#include "folder.h"

#include "folder_name.h"
#include "open_folder.h"
#include "place_folder.h"
#include "unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, MAX_UNUSED_S = 30 * DAY_S };

static bool is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static DIR *open_entries(int parent, const char *name)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (folder >= 0 && !entries)
        close(folder);
    return entries;
}

static void remove_tree(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0)
        return;
    DIR *entries = open_entries(parent, name);
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (!is_dots(entry->d_name))
            remove_tree(dirfd(entries), entry->d_name);
    closedir(entries);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static uint64_t bytes_below(int parent, const char *name)
{
    uint64_t sum = 0;
    DIR *entries = open_entries(parent, name);
    if (!entries)
        return 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct stat status;
        if (is_dots(entry->d_name) ||
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            sum += bytes_below(dirfd(entries), entry->d_name);
        else if (S_ISREG(status.st_mode))
            sum += (uint64_t)status.st_size;
    }
    closedir(entries);
    return sum;
}

static void write_part_name(const char *name, char part[PART_NAME_BYTES])
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(part, PART_NAME_BYTES, "%.*s" PART "%ld.%ld", FOLDER_NAME_BYTES, name, (long)getpid(),
             now.tv_nsec);
}

/* Whether the open folder is still the one of that name: it may have been swept meanwhile. */
static bool is_still_named(int place, const char *name, int folder)
{
    struct stat named, opened;
    return fstatat(place, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(folder, &opened) == 0 && named.st_ino == opened.st_ino &&
           named.st_dev == opened.st_dev;
}

/* Move a folder out of the way first, so that half of one never bears the final name. */
static void discard(int place, const char *name)
{
    char part[PART_NAME_BYTES];
    write_part_name(name, part);
    if (renameat(place, name, place, part) == 0)
        remove_tree(place, part);
}

/* Remove what nobody uses: parts left behind, and runtimes not started for 30 days. */
static void sweep_one(int place, const char *name)
{
    bool is_part = is_part_name(name);
    struct stat status;
    int folder = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return;
    time_t age_s = fstat(folder, &status) == 0 ? time(NULL) - status.st_mtime : 0;
    if (is_part || age_s > MAX_UNUSED_S) {
        bool is_free = flock(folder, LOCK_EX | LOCK_NB) == 0;
        /* Some network file systems lock no folders; there only time tells. */
        if (is_free || (is_part && errno != EWOULDBLOCK && age_s > DAY_S))
            discard(place, name);
    }
    close(folder);
}

static void sweep(int place, const char *own_name)
{
    DIR *entries = open_entries(place, ".");
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));)
        if (is_folder_name(entry->d_name) && strcmp(entry->d_name, own_name) != 0)
            sweep_one(place, entry->d_name);
    closedir(entries);
}

/* Whether the files' sizes add up. They do not where the power failed before the disk had it all,
 * or where a cleaner of temporary files took some. */
static bool is_complete(int folder, const struct package *package)
{
    return bytes_below(folder, ".") == package->unpacked_bytes;
}

/* Open and lock the package's folder, if it is there and can be used. */
static bool open_unpacked(int place, const char *name, const struct package *package)
{
    /* Neither closed nor O_CLOEXEC: the lock lasts as long as the runtime runs. */
    int folder = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (folder < 0)
        return false;
    flock(folder, LOCK_SH);
    struct stat status;
    if (is_still_named(place, name, folder) && fstat(folder, &status) == 0 &&
        is_trusted(status.st_uid, status.st_mode)) {
        if (is_complete(folder, package)) {
            futimens(folder, NULL);
            return true;
        }
        flock(folder, LOCK_EX | LOCK_NB);
        if (is_still_named(place, name, folder))
            discard(place, name);
    }
    close(folder);
    return false;
}

/* Make and lock an empty folder. Another start's sweep may be quicker than the lock: try again. */
static int make_part(int place, const char *name, char part[PART_NAME_BYTES])
{
    for (int i = 0; i < MAX_TRIES; i++) {
        write_part_name(name, part);
        if (mkdirat(place, part, 0755) != 0) {
            if (errno != EEXIST)
                return -1;
            continue;
        }
        int folder = openat(place, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (folder < 0)
            continue;
        bool is_swept = flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (!is_swept && is_still_named(place, part, folder))
            return folder;
        close(folder);
    }
    errno = EAGAIN;
    return -1;
}

static bool has_enough_room(int folder, const struct package *package, const char *path,
                            struct reason *why)
{
    struct statvfs disk;
    if (fstatvfs(folder, &disk) != 0 || !disk.f_blocks)
        return true;
    return has_room((uint64_t)disk.f_bavail * disk.f_frsize, package, path, why);
}

static enum unpacked fill(int folder, int solofile, const struct package *package,
                          const char *path, struct reason *why)
{
    if (!has_enough_room(folder, package, path, why))
        return NOT_WRITABLE;
    enum unpacked result = unpack_package(solofile, package, &(struct open_folder){folder});
    if (result == NOT_WRITABLE)
        refuse_errno(why, path);
    if (result == UNPACKED && !is_complete(folder, package))
        return NOT_A_PACKAGE;
    return result;
}

/* Unpack into a folder of our own, then give it the final name: a folder of that name is whole. */
static bool unpack(int place, const char *name, int solofile, const struct package *package,
                   const char *path, struct reason *why)
{
    char part[PART_NAME_BYTES];
    int folder = make_part(place, name, part);
    if (folder < 0)
        return refuse_errno(why, path);
    enum unpacked result = fill(folder, solofile, package, path, why);
    if (result == UNPACKED && renameat(place, part, place, name) == 0) {
        flock(folder, LOCK_SH);
        return true;
    }
    if (result == UNPACKED)
        refuse_errno(why, path);
    remove_tree(place, part);
    close(folder);
    if (result == NOT_A_PACKAGE)
        fail_damaged_package();
    return false;
}

static bool settle_here(const struct place *place, int solofile, const struct package *package,
                        struct runtime *runtime, struct reason *why)
{
    char name[FOLDER_NAME_BYTES + 1];
    int opened = open_place(place, why);
    if (opened < 0)
        return false;
    write_folder_name(package, name);
    sweep(opened, name);
    bool is_there = open_unpacked(opened, name, package);
    runtime->is_new = !is_there && unpack(opened, name, solofile, package, place->path, why);
    /* Where our unpacking failed, another start may have been quicker: then theirs serves. */
    is_there = is_there || runtime->is_new || open_unpacked(opened, name, package);
    close(opened);
    if (!is_there)
        return false;
    int size = snprintf(runtime->path, sizeof runtime->path, "%s/runtime/%s", place->path, name);
    return (size_t)size < sizeof runtime->path || refuse(why, "%s is too long a path", place->path);
}

bool settle(const struct place *place, int solofile, const struct package *package,
            struct runtime *runtime, struct reason *why)
{
    /* The package's own modes hold, whatever mask the user has; the runtime gets it back. */
    mode_t mask = umask(022);
    bool is_settled = settle_here(place, solofile, package, runtime, why);
    umask(mask);
    return is_settled;
}
