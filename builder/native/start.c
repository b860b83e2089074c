/* What a start of the runtime does in C because it takes too long otherwise: zeros for a new
 * context's memory, and a list that needs a call of llama.cpp for each token. Linux only. */
#include "ggml-backend.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Smaller ones are cleared as quickly. */
#define LEAST_BYTES (1u << 20)

/* ggml's name for what it takes from malloc. Buffers over mapped files have another. */
static const char OWN_MEMORY[] = "CPU";

/* Give whole pages back: they are zeros when they are next used, and take no memory until then. */
static bool clear_pages(char *begin, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)begin;
    uintptr_t first = (start + page - 1) / page * page, last = (start + size) / page * page;
    if (madvise((void *)first, last - first, MADV_DONTNEED) != 0)
        return false;
    memset(begin, 0, first - start);
    memset((char *)last, 0, start + size - last);
    return true;
}

static void clear_by_ggml(ggml_backend_buffer_t buffer, uint8_t value)
{
    static void (*clear)(ggml_backend_buffer_t, uint8_t);
    if (!clear)
        clear = (void (*)(ggml_backend_buffer_t, uint8_t))dlsym(
            dlopen("libggml-base.so.0", RTLD_NOW | RTLD_NOLOAD), "ggml_backend_buffer_clear");
    clear(buffer, value);
}

/* Takes the place of ggml's function of this name, for all libraries that are loaded after this
 * one. */
EXPORT void ggml_backend_buffer_clear(ggml_backend_buffer_t buffer, uint8_t value)
{
    size_t size = ggml_backend_buffer_get_size(buffer);
    const char *kind = ggml_backend_buft_name(ggml_backend_buffer_get_type(buffer));
    bool is_quick = value == 0 && size >= LEAST_BYTES && !strcmp(kind, OWN_MEMORY);
    if (!is_quick || !clear_pages(ggml_backend_buffer_get_base(buffer), size))
        clear_by_ggml(buffer, value);
}

/* List the tokens of which `is_end`, llama_vocab_is_eog, is true, and return how many they are. */
EXPORT int32_t solofile_end_tokens(bool (*is_end)(const void *, int32_t), const void *vocab,
                                   int32_t num_tokens, int32_t *tokens)
{
    int32_t num_found = 0;
    for (int32_t token = 0; token < num_tokens; token++)
        if (is_end(vocab, token))
            tokens[num_found++] = token;
    return num_found;
}
