#include "tar.h"

#include <stdio.h>
#include <string.h>

/* Fields of a ustar header as POSIX.1-2017 gives them under pax, "ustar Interchange Format". */
enum {
    NAME_AT = 0,
    NAME_BYTES = 100,
    MODE_AT = 100,
    MODE_BYTES = 8,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    TYPE_AT = 156,
    LINK_AT = 157,
    LINK_BYTES = 100,
    PREFIX_AT = 345,
    PREFIX_BYTES = 155,
};
enum { TYPE_FILE = '0', TYPE_LINK = '2', TYPE_FOLDER = '5' };

struct member {
    char name[PREFIX_BYTES + 1 + NAME_BYTES + 1];
    char link[LINK_BYTES + 1];
    int mode;
    uint64_t size;
    int type;
};

void tar_begin(struct tar *tar, const struct open_folder *folder)
{
    *tar = (struct tar){.folder = folder, .file = -1};
}

static uint64_t octal(const uint8_t *digits, int num_digits)
{
    uint64_t value = 0;
    for (int i = 0; i < num_digits && digits[i] >= '0' && digits[i] <= '7'; i++)
        value = value * 8 + (uint64_t)(digits[i] - '0');
    return value;
}

static struct member read_member(const uint8_t *header)
{
    struct member member = {.mode = (int)octal(header + MODE_AT, MODE_BYTES) & 0777,
                            .size = octal(header + SIZE_AT, SIZE_BYTES),
                            .type = header[TYPE_AT]};
    const char *name = (const char *)header + NAME_AT, *prefix = (const char *)header + PREFIX_AT;
    if (*prefix)
        snprintf(member.name, sizeof member.name, "%.*s/%.*s", PREFIX_BYTES, prefix, NAME_BYTES,
                 name);
    else
        snprintf(member.name, sizeof member.name, "%.*s", NAME_BYTES, name);
    snprintf(member.link, sizeof member.link, "%.*s", LINK_BYTES, (const char *)header + LINK_AT);
    return member;
}

/* Whether a path stays below the folder it is relative to. */
static bool stays_inside(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t size = strcspn(part, "/");
        if (size == 2 && part[0] == '.' && part[1] == '.')
            return false;
    }
    return true;
}

static enum unpacked written(bool is_done)
{
    return is_done ? UNPACKED : NOT_WRITABLE;
}

static enum unpacked end_file(struct tar *tar)
{
    bool is_closed = close_file(tar->file);
    tar->file = -1;
    return written(is_closed);
}

static enum unpacked begin_file(struct tar *tar, const struct member *member)
{
    tar->file = make_file(tar->folder, member->name, member->mode);
    if (tar->file < 0)
        return NOT_WRITABLE;
    tar->file_left = member->size;
    tar->padding_left = (TAR_BLOCK_BYTES - member->size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
    return tar->file_left ? UNPACKED : end_file(tar);
}

static enum unpacked begin_member(struct tar *tar)
{
    struct member member = read_member(tar->header);
    if (!*member.name)
        return UNPACKED; /* one of the empty blocks at the end */
    if (!stays_inside(member.name))
        return NOT_A_PACKAGE;
    switch (member.type) {
    case TYPE_FILE:
        return begin_file(tar, &member);
    case TYPE_FOLDER:
        return written(make_folder(tar->folder, member.name));
    case TYPE_LINK:
        if (!stays_inside(member.link))
            return NOT_A_PACKAGE;
        return written(make_link(tar->folder, member.name, member.link));
    default:
        return NOT_A_PACKAGE;
    }
}

static size_t smaller(size_t size, uint64_t limit)
{
    return size < limit ? size : (size_t)limit;
}

static enum unpacked add_to_file(struct tar *tar, const uint8_t *bytes, size_t size)
{
    if (!write_all(tar->file, bytes, size))
        return NOT_WRITABLE;
    tar->file_left -= size;
    return tar->file_left ? UNPACKED : end_file(tar);
}

static enum unpacked add_to_header(struct tar *tar, const uint8_t *bytes, size_t size)
{
    memcpy(tar->header + tar->num_held, bytes, size);
    tar->num_held += size;
    if (tar->num_held < TAR_BLOCK_BYTES)
        return UNPACKED;
    tar->num_held = 0;
    return begin_member(tar);
}

enum unpacked tar_add(struct tar *tar, const uint8_t *bytes, size_t size)
{
    enum unpacked result = UNPACKED;
    while (size && result == UNPACKED) {
        size_t taken;
        if (tar->file_left) {
            taken = smaller(size, tar->file_left);
            result = add_to_file(tar, bytes, taken);
        } else if (tar->padding_left) {
            taken = smaller(size, tar->padding_left);
            tar->padding_left -= taken;
        } else {
            taken = smaller(size, TAR_BLOCK_BYTES - tar->num_held);
            result = add_to_header(tar, bytes, taken);
        }
        bytes += taken, size -= taken;
    }
    return result;
}

bool tar_end(struct tar *tar)
{
    bool is_whole = tar->file < 0 && !tar->padding_left && !tar->num_held;
    if (tar->file >= 0)
        close_file(tar->file);
    return is_whole;
}
