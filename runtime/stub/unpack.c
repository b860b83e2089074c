#include "unpack.h"

#include "frames.h"
#include "own_file.h"
#include "threads.h"

#include "zstd.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 256 << 10 };

/* What the file system itself needs for a few hundred small files. */
#define SPARE_BYTES (8u << 20)

/* What one thread unpacks with. */
struct worker {
    ZSTD_DStream *stream;
    uint8_t compressed[CHUNK_BYTES], plain[CHUNK_BYTES];
};

/* What all threads do together: task 0 is the digest, task N the frame N. */
struct job {
    int solofile;
    const struct package *package;
    const struct open_folder *folder;
    struct frames frames;
    atomic_int next_task;
    atomic_bool is_damaged;
    atomic_int write_error; /* errno of a write that failed, else 0 */
};

static size_t chunk_size(uint64_t left)
{
    return left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
}

static bool is_package_whole(const struct job *job, uint8_t chunk[CHUNK_BYTES])
{
    const struct package *package = job->package;
    struct sha256 sha;
    sha256_begin(&sha);
    for (uint64_t done = 0; done < package->compressed_bytes;) {
        size_t size = chunk_size(package->compressed_bytes - done);
        if (!read_at(job->solofile, chunk, size, package->offset + done))
            return false;
        sha256_add(&sha, chunk, size);
        done += size;
    }
    uint8_t digest[SHA256_BYTES];
    sha256_end(&sha, digest);
    return !memcmp(digest, package->sha256, SHA256_BYTES);
}

/* Decompress one chunk into the tar reader; `hint` becomes 0 where the zstd frame is complete. */
static enum unpacked unpack_chunk(struct worker *worker, struct tar *tar, size_t size, size_t *hint)
{
    ZSTD_inBuffer in = {worker->compressed, size, 0};
    bool may_hold_more = true;
    while (in.pos < in.size || may_hold_more) {
        ZSTD_outBuffer out = {worker->plain, CHUNK_BYTES, 0};
        *hint = ZSTD_decompressStream(worker->stream, &out, &in);
        if (ZSTD_isError(*hint))
            return NOT_A_PACKAGE;
        enum unpacked result = tar_add(tar, worker->plain, out.pos);
        if (result != UNPACKED)
            return result;
        may_hold_more = out.pos == out.size;
    }
    return UNPACKED;
}

static enum unpacked unpack_stream(struct worker *worker, int solofile, const struct frame *frame,
                                   struct tar *tar)
{
    size_t hint = 1;
    for (uint64_t done = 0; done < frame->size;) {
        size_t size = chunk_size(frame->size - done);
        if (!read_at(solofile, worker->compressed, size, frame->offset + done))
            return NOT_A_PACKAGE;
        enum unpacked result = unpack_chunk(worker, tar, size, &hint);
        if (result != UNPACKED)
            return result;
        done += size;
    }
    return hint == 0 ? UNPACKED : NOT_A_PACKAGE;
}

static void unpack_frame(struct job *job, struct worker *worker, int number)
{
    struct tar tar;
    ZSTD_initDStream(worker->stream);
    tar_begin(&tar, job->folder);
    enum unpacked result =
        unpack_stream(worker, job->solofile, &job->frames.list[number], &tar);
    int error = errno;
    bool is_whole = tar_end(&tar);
    if (result == NOT_WRITABLE)
        atomic_store(&job->write_error, error);
    else if (result == NOT_A_PACKAGE || !is_whole)
        atomic_store(&job->is_damaged, true);
}

static bool has_failed(struct job *job)
{
    return atomic_load(&job->is_damaged) || atomic_load(&job->write_error);
}

static struct worker *make_worker(void)
{
    struct worker *worker = malloc(sizeof *worker);
    if (worker && !(worker->stream = ZSTD_createDStream())) {
        free(worker);
        worker = NULL;
    }
    return worker;
}

static void free_worker(struct worker *worker)
{
    ZSTD_freeDStream(worker->stream);
    free(worker);
}

static void work(void *job_)
{
    struct job *job = job_;
    struct worker *worker = make_worker();
    if (!worker) {
        atomic_store(&job->write_error, ENOMEM);
        return;
    }
    for (int task; (task = atomic_fetch_add(&job->next_task, 1)) < job->frames.num_frames;)
        if (task && !has_failed(job))
            unpack_frame(job, worker, task);
        else if (!task && !is_package_whole(job, worker->compressed))
            atomic_store(&job->is_damaged, true);
    free_worker(worker);
}

enum unpacked unpack_package(int solofile, const struct package *package,
                             const struct open_folder *folder)
{
    static struct job job;
    job = (struct job){.solofile = solofile, .package = package, .folder = folder};
    struct worker *worker = make_worker();
    if (!worker) {
        errno = ENOMEM;
        return NOT_WRITABLE;
    }
    job.is_damaged = !find_frames(solofile, package, &job.frames);
    if (!job.is_damaged)
        unpack_frame(&job, worker, 0); /* the folders, which the others write into */
    free_worker(worker);
    /* Where that could not be written, too: damage may be why, and the digest tells. */
    if (!job.is_damaged)
        work_together(work, &job);
    errno = job.write_error;
    return job.is_damaged ? NOT_A_PACKAGE : job.write_error ? NOT_WRITABLE : UNPACKED;
}

bool has_room(uint64_t free_bytes, const struct package *package, const char *path,
              struct reason *why)
{
    uint64_t needed_bytes = package->unpacked_bytes + SPARE_BYTES;
    if (free_bytes >= needed_bytes)
        return true;
    return refuse(why, "%s is on a disk that is full (%llu MB are needed, %llu MB are free)", path,
                  (unsigned long long)(needed_bytes / 1000000 + 1),
                  (unsigned long long)(free_bytes / 1000000));
}

void fail_damaged_package(void)
{
    fail(EXIT_DAMAGED, "The runtime inside the file is damaged; copy or download the file again.");
}
