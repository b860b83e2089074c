// What a start of the runtime does in its own way because llama.cpp's takes too long. This library
// is loaded before llama.cpp's, so that its functions take the places of those of the same name.
// Linux only.
#include "ggml-backend.h"
#include "gguf.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EXPORT_CPP __attribute__((visibility("default")))

namespace {

// Return the function whose place one of ours took, in the library that has it.
template <typename Function> Function *replaced(Function *ours, const char *library)
{
    Dl_info name;
    dladdr(reinterpret_cast<void *>(ours), &name);
    void *home = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    return reinterpret_cast<Function *>(dlsym(home, name.dli_sname));
}

uintptr_t page_size()
{
    return static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
}

// Give whole pages back: they are zeros when they are next used, and take no memory until then.
bool clear_pages(char *begin, size_t size)
{
    uintptr_t page = page_size(), start = reinterpret_cast<uintptr_t>(begin);
    uintptr_t first = (start + page - 1) / page * page, last = (start + size) / page * page;
    if (madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED) != 0)
        return false;
    memset(begin, 0, first - start);
    memset(reinterpret_cast<void *>(last), 0, start + size - last);
    return true;
}

// Say whether all of a mapped file is in memory already.
bool is_in_memory(void *begin, size_t size)
{
    std::vector<unsigned char> pages((size + page_size() - 1) / page_size());
    if (mincore(begin, size, pages.data()) != 0)
        return false;
    for (unsigned char page : pages)
        if (!(page & 1))
            return false;
    return true;
}

// The bytes that byte-level tokens write as a character of one or two bytes, by its code point.
class BytesByCharacter {
public:
    BytesByCharacter()
    {
        void *llama = dlopen("libllama.so.0", RTLD_NOW | RTLD_NOLOAD);
        auto character = reinterpret_cast<std::string (*)(uint8_t)>(
            dlsym(llama, "_Z20unicode_byte_to_utf8h"));
        bytes_.fill(-1);
        for (int byte = 0; byte < 256; byte++) {
            int point = code_point(character(static_cast<uint8_t>(byte)));
            if (point >= 0)
                bytes_[static_cast<size_t>(point)] = static_cast<int16_t>(byte);
        }
    }

    // Return the byte, or -1 for any other text.
    int find(const std::string &text) const
    {
        int point = code_point(text);
        return point < 0 ? -1 : bytes_[static_cast<size_t>(point)];
    }

private:
    static constexpr int NUM_POINTS = 1 << 11;
    std::array<int16_t, NUM_POINTS> bytes_;

    static int code_point(const std::string &text)
    {
        if (text.size() == 1)
            return text[0] & 0x7f;
        return text.size() == 2 ? (text[0] & 0x1f) << 6 | (text[1] & 0x3f) : -1;
    }
};

// Smaller ones are cleared as quickly.
constexpr size_t LEAST_CLEARED_BYTES = 1 << 20;

} // namespace

// Clear a buffer by giving its memory back where that is memory of the C library's: ggml's name for
// it is CPU, and buffers over mapped files have another.
EXPORT void ggml_backend_buffer_clear(ggml_backend_buffer_t buffer, uint8_t value)
{
    static auto *clear = replaced(ggml_backend_buffer_clear, "libggml-base.so.0");
    size_t size = ggml_backend_buffer_get_size(buffer);
    const char *kind = ggml_backend_buft_name(ggml_backend_buffer_get_type(buffer));
    bool is_quick = value == 0 && size >= LEAST_CLEARED_BYTES && !strcmp(kind, "CPU");
    void *begin = ggml_backend_buffer_get_base(buffer);
    if (!is_quick || !clear_pages(static_cast<char *>(begin), size))
        clear(buffer, value);
}

// Return a value of a GGUF as text, but for lists: llama.cpp makes a text of the whole vocabulary
// and cuts it off for its log.
EXPORT_CPP std::string gguf_kv_to_str(const gguf_context *file, int number)
{
    static auto *text = replaced(gguf_kv_to_str, "libllama.so.0");
    if (gguf_get_kv_type(file, number) == GGUF_TYPE_ARRAY)
        return "[...]";
    return text(file, number);
}

// Return the byte that a character of a byte-level token stands for; llama.cpp looks each of a
// vocabulary's up in a hash table of strings.
EXPORT_CPP uint8_t unicode_utf8_to_byte(const std::string &character)
{
    static auto *byte_of = replaced(unicode_utf8_to_byte, "libllama.so.0");
    static const BytesByCharacter bytes;
    int byte = bytes.find(character);
    return byte < 0 ? byte_of(character) : static_cast<uint8_t>(byte);
}

// Map a file without entering its pages one by one where they are in memory: that is done sixteen
// at a time, and on all threads, when they are first used.
EXPORT void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    auto map = [=](int how) {
        return reinterpret_cast<void *>(
            syscall(SYS_mmap, address, size, protection, how, file, offset));
    };
    if (file < 0 || !(flags & MAP_POPULATE))
        return map(flags);
    void *mapped = map(flags & ~MAP_POPULATE);
    if (mapped == MAP_FAILED || is_in_memory(mapped, size))
        return mapped;
    munmap(mapped, size);
    return map(flags);
}

// List the tokens of which `is_end`, llama_vocab_is_eog, is true, and return how many they are.
EXPORT int32_t solofile_end_tokens(bool (*is_end)(const void *, int32_t), const void *vocab,
                                   int32_t num_tokens, int32_t *tokens)
{
    int32_t num_found = 0;
    for (int32_t token = 0; token < num_tokens; token++)
        if (is_end(vocab, token))
            tokens[num_found++] = token;
    return num_found;
}
