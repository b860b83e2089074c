#include "place.h"

#include "place_folder.h"
#include "place_list.h"
#include "private_folder.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Add `base` and `rest`; a base that is empty or not absolute is left out. */
static struct place *add(struct place_list *list, const wchar_t *base, const char *rest)
{
    static wchar_t whole[WIDE_PATH];
    static char path[PATH_BYTES];
    DWORD size = *base ? GetFullPathNameW(base, WIDE_PATH, whole, NULL) : 0;
    if (!size || size >= WIDE_PATH || !narrow_path(whole, path))
        return NULL;
    size_t length = strlen(path);
    while (length && path[length - 1] == '\\')
        path[--length] = '\0';
    return add_place(list, path, rest);
}

/* The value of a variable, empty where it has none; it holds until the next call. */
static const wchar_t *variable(const wchar_t *name)
{
    static wchar_t value[WIDE_PATH];
    DWORD size = GetEnvironmentVariableW(name, value, WIDE_PATH);
    return size && size < WIDE_PATH ? value : L"";
}

/* The folder for temporary files may be the whole system's: services have that one. */
static void add_temporary(struct place_list *list)
{
    static wchar_t path[WIDE_PATH];
    DWORD size = GetTempPathW(WIDE_PATH, path);
    struct place *place = size && size < WIDE_PATH ? add(list, path, "\\solofile") : NULL;
    if (place)
        place->max_new_folders = 1, place->is_shared = true;
}

static void add_beside(struct place_list *list, const char *solofile)
{
    static wchar_t wide[WIDE_PATH];
    if (!widen(solofile, wide, WIDE_PATH))
        return;
    *wcsrchr(wide, L'\\') = L'\0';
    struct place *place = add(list, wide, "\\.solofile");
    if (place)
        place->max_new_folders = 1;
}

int list_places(struct place places[MAX_PLACES], const char *solofile, const char *unpack_dir)
{
    static wchar_t named[WIDE_PATH];
    struct place_list list = {places, 0};
    const wchar_t *chosen = variable(L"SOLOFILE_CACHE");
    if (unpack_dir)
        chosen = widen(unpack_dir, named, WIDE_PATH) ? named : NULL;
    if (!chosen || *chosen) {
        struct place *place = chosen ? add(&list, chosen, "") : NULL;
        if (!place)
            fail(EXIT_RESOURCE, "The folder to unpack into is no path that can be used; name another.");
        place->is_chosen = true;
        return list.num_places;
    }
    add(&list, variable(L"LOCALAPPDATA"), "\\solofile");
    add_temporary(&list);
    add_beside(&list, solofile);
    return list.num_places;
}

static bool make_missing(wchar_t *path, int max_new_folders)
{
    if (CreateDirectoryW(path, NULL) || GetLastError() == ERROR_ALREADY_EXISTS)
        return true;
    wchar_t *slash = wcsrchr(path, L'\\');
    if (GetLastError() != ERROR_PATH_NOT_FOUND || max_new_folders < 2 || !slash)
        return set_errno();
    *slash = L'\0';
    bool is_made = make_missing(path, max_new_folders - 1);
    *slash = L'\\';
    return is_made && (CreateDirectoryW(path, NULL) || GetLastError() == ERROR_ALREADY_EXISTS ||
                       set_errno());
}

static bool is_folder(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY;
}

bool open_place(const struct place *place, wchar_t path[WIDE_PATH], struct reason *why)
{
    if (!widen_path(place->path, path))
        return refuse_errno(why, place->path);
    if (place->is_shared && !make_private_folder(path, place->path, why))
        return false;
    if (!make_missing(path, place->max_new_folders))
        return refuse_errno(why, place->path);
    if (!is_folder(path))
        return refuse(why, "%s is not a folder", place->path);
    if (!append_name(path, L"runtime") || !make_missing(path, 1))
        return refuse_errno(why, place->path);
    return is_folder(path) || refuse(why, "%s\\runtime is not a folder", place->path);
}
