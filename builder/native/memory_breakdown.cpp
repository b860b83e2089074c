// What a context takes of each device, as llama.cpp counts it. llama.cpp tells only C++, by a map.

#include <cstddef>
#include <cstdint>

#include "ggml-backend.h"
#include "llama-ext.h"

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

struct DeviceMemory {
    ggml_backend_dev_t device; // null for the machine's own memory
    size_t bytes;
};

// Writes a row for each device that holds something, at most max_rows, and returns how many.
EXPORT int32_t solofile_memory_breakdown(const llama_context *context, DeviceMemory *rows,
                                         int32_t max_rows) {
    int32_t count = 0;
    for (const auto &[buffer_type, memory] : llama_get_memory_breakdown(context)) {
        const bool is_host = ggml_backend_buft_is_host(buffer_type);
        ggml_backend_dev_t device = is_host ? nullptr : ggml_backend_buft_get_device(buffer_type);
        int32_t row = 0;
        while (row < count && rows[row].device != device) {
            row++;
        }
        if (row == max_rows) {
            break;
        }
        if (row == count) {
            rows[count++] = {device, 0};
        }
        rows[row].bytes += memory.model + memory.context + memory.compute;
    }
    return count;
}
