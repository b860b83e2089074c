#include "archive.h"

#include "message.h"
#include "own_file.h"
#include "path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records of the ZIP format, by section of PKWARE's APPNOTE.TXT 6.3.10. */
enum {
    LOCAL_HEADER_BYTES = 30,    /* 4.3.7 */
    CENTRAL_HEADER_BYTES = 46,  /* 4.3.12 */
    END64_BYTES = 56,           /* 4.3.14 */
    END64_LOCATOR_BYTES = 20,   /* 4.3.15 */
    END_BYTES = 22,             /* 4.3.16 */
    ZIP64_EXTRA_ID = 0x0001,    /* 4.5.3 */
};
#define LOCAL_HEADER_SIGNATURE 0x04034b50u
#define CENTRAL_HEADER_SIGNATURE 0x02014b50u
#define END64_SIGNATURE 0x06064b50u
#define END64_LOCATOR_SIGNATURE 0x07064b50u
#define END_SIGNATURE 0x06054b50u
#define IN_ZIP64 0xffffffffu

/* A solofile has some dozen entries; a directory beyond this is not one of ours. */
#define MAX_DIRECTORY_BYTES (16u << 20)

static const char PACKAGE_NAME[] = "runtime.pkg";

struct archive {
    int file;
    uint64_t size;
};

struct entry {
    uint64_t size;
    uint64_t compressed_size;
    uint64_t header_offset;
    bool is_stored;
};

/* What the file is called, to find beside it what tells of an interrupted change. */
static const char *solofile_path = "";

static bool has_journal(void)
{
    static char name[PATH_BYTES + sizeof ".journal"];
    snprintf(name, sizeof name, "%s.journal", solofile_path);
    FILE *journal = fopen(name, "rb");
    return journal && fclose(journal) == 0;
}

_Noreturn static void damaged(const char *what)
{
    if (has_journal())
        fail(EXIT_DAMAGED, "The file was being changed, and that was interrupted, %s; let the "
                           "builder's command `verify` restore it.", what);
    fail(EXIT_DAMAGED, "The file is cut short or damaged, %s; copy or download it again.", what);
}

static uint64_t little_endian(const uint8_t *bytes, int num_bytes)
{
    uint64_t value = 0;
    for (int i = num_bytes - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint16_t u16(const uint8_t *bytes)
{
    return (uint16_t)little_endian(bytes, 2);
}

static uint32_t u32(const uint8_t *bytes)
{
    return (uint32_t)little_endian(bytes, 4);
}

static uint64_t u64(const uint8_t *bytes)
{
    return little_endian(bytes, 8);
}

static bool is_inside(const struct archive *archive, uint64_t offset, uint64_t size)
{
    return offset <= archive->size && size <= archive->size - offset;
}

static void read_record(const struct archive *archive, void *buffer, size_t size, uint64_t offset,
                        const char *what)
{
    if (!is_inside(archive, offset, size) || !read_at(archive->file, buffer, size, offset))
        damaged(what);
}

/* Read where the directory is from the ZIP64 record, which lies before the plain end record. */
static void find_directory64(const struct archive *archive, uint64_t *offset, uint64_t *size)
{
    uint8_t locator[END64_LOCATOR_BYTES], end[END64_BYTES];
    uint64_t tail = END_BYTES + END64_LOCATOR_BYTES;
    if (archive->size < tail)
        damaged("its directory is missing");
    read_record(archive, locator, sizeof locator, archive->size - tail, "its directory is missing");
    if (u32(locator) != END64_LOCATOR_SIGNATURE)
        damaged("its directory is missing");
    read_record(archive, end, sizeof end, u64(locator + 8), "its directory is missing");
    if (u32(end) != END64_SIGNATURE)
        damaged("its directory is missing");
    *size = u64(end + 40);
    *offset = u64(end + 48);
}

/* Read the central directory into memory the caller frees. */
static uint8_t *read_directory(const struct archive *archive, size_t *size_out)
{
    uint8_t end[END_BYTES];
    if (archive->size < END_BYTES)
        damaged("its directory is missing");
    read_record(archive, end, sizeof end, archive->size - END_BYTES, "its end is unreadable");
    if (u32(end) != END_SIGNATURE)
        damaged("its end is missing");
    uint64_t size = u32(end + 12), offset = u32(end + 16);
    if (u16(end + 10) == 0xffff || size == IN_ZIP64 || offset == IN_ZIP64)
        find_directory64(archive, &offset, &size);
    if (size > MAX_DIRECTORY_BYTES || !is_inside(archive, offset, size))
        damaged("its directory points outside of it");
    uint8_t *directory = malloc(size + 1);
    if (!directory)
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    read_record(archive, directory, size, offset, "its directory is unreadable");
    *size_out = size;
    return directory;
}

/* Replace what did not fit into 32 bits by the values of one ZIP64 extra field, section 4.5.3. */
static void widen_entry(struct entry *entry, const uint8_t *value, size_t size)
{
    uint64_t *fields[] = {&entry->size, &entry->compressed_size, &entry->header_offset};
    for (int i = 0; i < 3; i++) {
        if (*fields[i] != IN_ZIP64)
            continue;
        if (size < 8)
            damaged("its directory is garbled");
        *fields[i] = u64(value);
        value += 8, size -= 8;
    }
}

static void read_extra_fields(struct entry *entry, const uint8_t *extra, size_t extra_bytes)
{
    while (extra_bytes >= 4) {
        size_t size = u16(extra + 2);
        if (size > extra_bytes - 4)
            damaged("its directory is garbled");
        if (u16(extra) == ZIP64_EXTRA_ID)
            widen_entry(entry, extra + 4, size);
        extra += 4 + size, extra_bytes -= 4 + size;
    }
}

static bool find_entry(const uint8_t *directory, size_t size, struct entry *entry)
{
    const size_t name_bytes = sizeof PACKAGE_NAME - 1;
    for (size_t at = 0; size - at >= CENTRAL_HEADER_BYTES;) {
        const uint8_t *header = directory + at, *name = header + CENTRAL_HEADER_BYTES;
        if (u32(header) != CENTRAL_HEADER_SIGNATURE)
            damaged("its directory is garbled");
        size_t name_size = u16(header + 28), extra_size = u16(header + 30);
        size_t whole = CENTRAL_HEADER_BYTES + name_size + extra_size + u16(header + 32);
        if (whole > size - at)
            damaged("its directory is garbled");
        if (name_size == name_bytes && !memcmp(name, PACKAGE_NAME, name_bytes)) {
            *entry = (struct entry){u32(header + 24), u32(header + 20), u32(header + 42), false};
            read_extra_fields(entry, name + name_size, extra_size);
            entry->is_stored = u16(header + 10) == 0 && entry->size == entry->compressed_size;
            return true;
        }
        at += whole;
    }
    return false;
}

static uint64_t find_data(const struct archive *archive, const struct entry *entry)
{
    uint8_t header[LOCAL_HEADER_BYTES];
    read_record(archive, header, sizeof header, entry->header_offset, "its runtime is missing");
    if (u32(header) != LOCAL_HEADER_SIGNATURE)
        damaged("its runtime is missing");
    uint64_t data = entry->header_offset + LOCAL_HEADER_BYTES + u16(header + 26) + u16(header + 28);
    if (!is_inside(archive, data, entry->size))
        damaged("its runtime points outside of it");
    return data;
}

static void read_package(const struct archive *archive, const struct entry *entry,
                         struct package *package)
{
    uint8_t header[PACKAGE_HEADER_BYTES];
    uint64_t data = find_data(archive, entry);
    if (entry->size < sizeof header)
        damaged("its runtime is too small");
    read_record(archive, header, sizeof header, data, "its runtime is unreadable");
    if (memcmp(header, PACKAGE_MAGIC, sizeof PACKAGE_MAGIC - 1) != 0)
        damaged("its runtime is not a package");
    memcpy(package->sha256, header + 8, SHA256_BYTES);
    package->compressed_bytes = u64(header + 40);
    package->unpacked_bytes = u64(header + 48);
    package->system_major = u16(header + 56);
    package->system_minor = u16(header + 58);
    package->offset = data + sizeof header;
    if (package->compressed_bytes != entry->size - sizeof header)
        damaged("its runtime has another size than it says");
}

void find_package(int file, const char *path, struct package *package)
{
    solofile_path = path;
    struct archive archive = {file, own_file_size(file)};
    size_t directory_bytes;
    uint8_t *directory = read_directory(&archive, &directory_bytes);
    struct entry entry;
    if (!find_entry(directory, directory_bytes, &entry))
        fail(EXIT_DAMAGED, "The file carries no runtime, it has no entry %s; build it again.",
             PACKAGE_NAME);
    free(directory);
    if (!entry.is_stored)
        fail(EXIT_DAMAGED, "The runtime in the file is compressed, so it cannot be started; "
                           "pack the file again without compressing %s.", PACKAGE_NAME);
    read_package(&archive, &entry, package);
}
