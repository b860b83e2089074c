#include "folder.h"

#include "folder_name.h"
#include "open_folder.h"
#include "place_folder.h"
#include "unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* A folder is held by a handle that shares no deleting: while one is open, in whichever process,
 * nobody can open another one to rename or remove the folder. It goes with its process. */
enum { HOLDING = FILE_SHARE_READ | FILE_SHARE_WRITE };

enum { DAY_S = 24 * 60 * 60, MAX_UNUSED_S = 30 * DAY_S };

/* Virus scanners hold what was just written; others hold a folder for the moment of renaming it. */
enum { RETRY_MS = 50, MAX_RETRIES = 200 };

typedef void visit(wchar_t path[WIDE_PATH], const WIN32_FIND_DATAW *entry, void *context);

/* Call a function for all that lies in a folder; the path is put back as it was. */
static void for_each(wchar_t path[WIDE_PATH], visit *each, void *context)
{
    WIN32_FIND_DATAW entry;
    size_t size = wcslen(path);
    if (!append_name(path, L"*"))
        return;
    HANDLE search = FindFirstFileExW(path, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL,
                                     FIND_FIRST_EX_LARGE_FETCH);
    path[size] = L'\0';
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0 &&
            append_name(path, entry.cFileName))
            each(path, &entry, context);
        path[size] = L'\0';
    } while (FindNextFileW(search, &entry));
    FindClose(search);
}

static bool is_real_folder(const WIN32_FIND_DATAW *entry)
{
    return entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY &&
           !(entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

static void remove_one(wchar_t path[WIDE_PATH], const WIN32_FIND_DATAW *entry, void *context)
{
    if (is_real_folder(entry))
        for_each(path, remove_one, context);
    if (entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
        RemoveDirectoryW(path);
    else
        DeleteFileW(path);
}

static void add_size(wchar_t path[WIDE_PATH], const WIN32_FIND_DATAW *entry, void *sum)
{
    if (is_real_folder(entry))
        for_each(path, add_size, sum);
    else
        *(uint64_t *)sum += (uint64_t)entry->nFileSizeHigh << 32 | entry->nFileSizeLow;
}

/* Open a folder so that nobody can rename or remove it until the handle is closed. */
static HANDLE hold(const wchar_t *path, DWORD access)
{
    return CreateFileW(path, FILE_LIST_DIRECTORY | access, HOLDING, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

static bool is_busy(void)
{
    DWORD error = GetLastError();
    return error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED ||
           error == ERROR_LOCK_VIOLATION;
}

/* Hold a folder to use it; whoever renames it right now is waited for. */
static HANDLE hold_used(const wchar_t *path)
{
    for (int i = 0;; i++) {
        HANDLE folder = hold(path, FILE_WRITE_ATTRIBUTES);
        if (folder == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED)
            folder = hold(path, 0); /* on a read-only medium */
        if (folder != INVALID_HANDLE_VALUE || i == MAX_RETRIES || !is_busy())
            return folder;
        Sleep(RETRY_MS);
    }
}

static bool rename_held(HANDLE folder, const wchar_t *path)
{
    size_t bytes = wcslen(path) * sizeof *path;
    FILE_RENAME_INFO *rename = calloc(1, sizeof *rename + bytes);
    if (!rename)
        return false;
    rename->FileNameLength = (DWORD)bytes;
    memcpy(rename->FileName, path, bytes);
    DWORD size = (DWORD)(sizeof *rename + bytes);
    bool is_renamed = SetFileInformationByHandle(folder, FileRenameInfo, rename, size);
    DWORD error = GetLastError();
    free(rename);
    SetLastError(error);
    return is_renamed;
}

/* Let go of a folder and remove it. Until it is gone it bears the name of a part, so whoever cuts
 * this short leaves it to the next start. */
static void remove_held(HANDLE folder, wchar_t path[WIDE_PATH])
{
    CloseHandle(folder);
    for_each(path, remove_one, NULL);
    RemoveDirectoryW(path);
}

static bool find_path(const wchar_t *place, const char *name, wchar_t path[WIDE_PATH])
{
    wchar_t wide[PART_NAME_BYTES];
    wcscpy(path, place);
    return widen(name, wide, PART_NAME_BYTES) && append_name(path, wide);
}

static bool find_part(const wchar_t *place, const char *name, wchar_t path[WIDE_PATH])
{
    static unsigned number;
    char part[PART_NAME_BYTES];
    snprintf(part, sizeof part, "%.*s" PART "%lu.%llu%02u", FOLDER_NAME_BYTES, name,
             GetCurrentProcessId(), (unsigned long long)GetTickCount64(), number++ % 100);
    return find_path(place, part, path);
}

/* Move a folder that nobody uses out of the way, so that half of one never bears its name, and
 * remove it. */
static void discard(const wchar_t *place, const char *name)
{
    wchar_t path[WIDE_PATH], part[WIDE_PATH];
    if (!find_path(place, name, path) || !find_part(place, name, part))
        return;
    HANDLE folder = hold(path, DELETE);
    if (folder == INVALID_HANDLE_VALUE)
        return;
    if (rename_held(folder, part))
        remove_held(folder, part);
    else
        CloseHandle(folder);
}

struct sweep {
    const wchar_t *place;
    const char *own_name;
};

static int64_t age_s(const FILETIME *then)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    int64_t now_100ns = (int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    int64_t then_100ns = (int64_t)then->dwHighDateTime << 32 | then->dwLowDateTime;
    return (now_100ns - then_100ns) / 10000000;
}

/* Remove what nobody uses: parts left behind, and runtimes not started for 30 days. */
static void sweep_one(wchar_t path[WIDE_PATH], const WIN32_FIND_DATAW *entry, void *context)
{
    const struct sweep *sweep = context;
    char name[PART_NAME_BYTES];
    (void)path;
    if (!WideCharToMultiByte(CP_UTF8, 0, entry->cFileName, -1, name, sizeof name, NULL, NULL) ||
        !is_folder_name(name) || !strcmp(name, sweep->own_name) || !is_real_folder(entry))
        return;
    if (is_part_name(name) || age_s(&entry->ftLastWriteTime) > MAX_UNUSED_S)
        discard(sweep->place, name);
}

static void sweep(const wchar_t *place, const char *own_name)
{
    static wchar_t path[WIDE_PATH];
    wcscpy(path, place);
    for_each(path, sweep_one, &(struct sweep){place, own_name});
}

/* Whether the files' sizes add up. They do not where the power failed before the disk had it all,
 * or where a cleaner of temporary files took some. */
static bool is_complete(wchar_t path[WIDE_PATH], const struct package *package)
{
    uint64_t sum = 0;
    for_each(path, add_size, &sum);
    return sum == package->unpacked_bytes;
}

/* Hold the package's folder, if it is there and can be used. */
static bool open_unpacked(const wchar_t *place, const char *name, const struct package *package)
{
    wchar_t path[WIDE_PATH];
    FILETIME now;
    if (!find_path(place, name, path))
        return false;
    /* Never closed: it is held as long as the runtime runs. */
    HANDLE folder = hold_used(path);
    if (folder == INVALID_HANDLE_VALUE)
        return false;
    if (is_complete(path, package)) {
        GetSystemTimeAsFileTime(&now);
        SetFileTime(folder, NULL, NULL, &now);
        return true;
    }
    CloseHandle(folder);
    discard(place, name);
    return false;
}

/* Make and hold an empty folder. Another start's sweep may be quicker: try again. */
static HANDLE make_part(const wchar_t *place, const char *name, wchar_t part[WIDE_PATH])
{
    for (int i = 0; i < MAX_TRIES; i++) {
        if (!find_part(place, name, part))
            return INVALID_HANDLE_VALUE;
        if (!CreateDirectoryW(part, NULL)) {
            if (GetLastError() == ERROR_ALREADY_EXISTS)
                continue;
            set_errno();
            return INVALID_HANDLE_VALUE;
        }
        HANDLE folder = hold(part, DELETE);
        if (folder != INVALID_HANDLE_VALUE)
            return folder;
    }
    errno = EAGAIN;
    return INVALID_HANDLE_VALUE;
}

static enum unpacked fill(wchar_t part[WIDE_PATH], int solofile, const struct package *package,
                          const char *path, struct reason *why)
{
    ULARGE_INTEGER free_bytes;
    if (GetDiskFreeSpaceExW(part, &free_bytes, NULL, NULL) &&
        !has_room(free_bytes.QuadPart, package, path, why))
        return NOT_WRITABLE;
    enum unpacked result = unpack_package(solofile, package, &(struct open_folder){part});
    if (result == NOT_WRITABLE)
        refuse_errno(why, path);
    return result;
}

static bool give_final_name(HANDLE folder, const wchar_t *final)
{
    for (int i = 0; !rename_held(folder, final); i++) {
        if (i == MAX_RETRIES || !is_busy() ||
            GetFileAttributesW(final) != INVALID_FILE_ATTRIBUTES)
            return set_errno();
        Sleep(RETRY_MS);
    }
    return true;
}

/* Unpack into a folder of our own, then give it the final name: a folder of that name is whole. */
static bool unpack(const wchar_t *place, const char *name, int solofile,
                   const struct package *package, const char *path, struct reason *why)
{
    wchar_t part[WIDE_PATH], final[WIDE_PATH];
    HANDLE folder = make_part(place, name, part);
    if (folder == INVALID_HANDLE_VALUE)
        return refuse_errno(why, path);
    enum unpacked result = fill(part, solofile, package, path, why);
    if (result == UNPACKED && find_path(place, name, final) && give_final_name(folder, final)) {
        CloseHandle(folder);
        return true;
    }
    if (result == UNPACKED)
        refuse_errno(why, path);
    remove_held(folder, part);
    if (result == NOT_A_PACKAGE)
        fail_damaged_package();
    return false;
}

bool settle(const struct place *place, int solofile, const struct package *package,
            struct runtime *runtime, struct reason *why)
{
    static wchar_t opened[WIDE_PATH];
    char name[FOLDER_NAME_BYTES + 1];
    if (!open_place(place, opened, why))
        return false;
    write_folder_name(package, name);
    sweep(opened, name);
    bool is_there = open_unpacked(opened, name, package);
    runtime->is_new = !is_there && unpack(opened, name, solofile, package, place->path, why);
    /* Where our unpacking failed, another start may have been quicker: then theirs serves. */
    is_there = is_there || open_unpacked(opened, name, package);
    if (!is_there)
        return false;
    int size = snprintf(runtime->path, sizeof runtime->path, "%s\\runtime\\%s", place->path, name);
    return (size_t)size < sizeof runtime->path || refuse(why, "%s is too long a path", place->path);
}
