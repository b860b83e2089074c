// What a start of the runtime does in its own way because llama.cpp's takes too long. This library
// is loaded before llama.cpp's, so that its functions take the places of those of the same name.
// Linux only.
#include "ggml-backend.h"
#include "gguf.h"
#include "llama-model-loader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EXPORT_CPP __attribute__((visibility("default")))

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 // Linux 5.14
#endif

namespace {

const char GGML[] = "libggml.so.0", GGML_BASE[] = "libggml-base.so.0", LLAMA[] = "libllama.so.0";

void *find(const char *library, const char *name)
{
    return dlsym(dlopen(library, RTLD_NOW | RTLD_NOLOAD), name);
}

// Return the function whose place one of ours took, in the library that has it.
template <typename Function> Function *replaced(Function *ours, const char *library)
{
    Dl_info facts;
    dladdr(reinterpret_cast<void *>(ours), &facts);
    return reinterpret_cast<Function *>(find(library, facts.dli_sname));
}

// Return a function of llama.cpp's that no header tells of.
template <typename Function> Function *in_llama(const char *name)
{
    return reinterpret_cast<Function *>(find(LLAMA, name));
}

// Return a method as the function it is to the linker, whose first parameter is the object.
template <typename Function, typename Method> Function *function_of(Method method)
{
    Function *function;
    memcpy(&function, &method, sizeof function);
    return function;
}

void say_nothing(ggml_log_level, const char *, void *) {}

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

// Say whether a file is in memory, but for a little of it at most.
bool is_in_memory(const llama_file *file)
{
    static auto *size_of = in_llama<size_t(const llama_file *)>("_ZNK10llama_file4sizeEv");
    static auto *number_of = in_llama<int(const llama_file *)>("_ZNK10llama_file7file_idEv");
    size_t size = size_of(file);
    void *mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, number_of(file), 0);
    if (mapped == MAP_FAILED)
        return false;
    std::vector<unsigned char> pages((size + page_size() - 1) / page_size());
    bool is_known = mincore(mapped, size, pages.data()) == 0;
    munmap(mapped, size);
    auto num_missing = static_cast<size_t>(std::count_if(
        pages.begin(), pages.end(), [](unsigned char page) { return !(page & 1); }));
    return is_known && num_missing <= pages.size() / 8;
}

// Enter the pages of mapped memory, some at a time: other threads that map memory wait meanwhile.
// Some may be unmapped by now: llama.cpp keeps only what tensors lie in.
void enter_pages(char *begin, size_t size)
{
    constexpr size_t STEP = 2 << 20;
    for (size_t done = 0; done < size; done += STEP)
        if (madvise(begin + done, std::min(STEP, size - done), MADV_POPULATE_READ) != 0 &&
            errno == EINVAL)
            return; // The kernel is too old.
}

// The bytes that byte-level tokens write as a character of one or two bytes, by its code point.
class BytesByCharacter {
public:
    BytesByCharacter()
    {
        auto *character = in_llama<std::string(uint8_t)>("_Z20unicode_byte_to_utf8h");
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

// glibc maps larger pieces by themselves in any case.
constexpr size_t ROOM_BYTES = 31 << 20;

// Smaller ones are cleared as quickly.
constexpr size_t LEAST_CLEARED_BYTES = 1 << 20;

} // namespace

// Clear a buffer by giving its memory back where that is memory of the C library's: ggml's name for
// it is CPU, and buffers over mapped files have another.
EXPORT void ggml_backend_buffer_clear(ggml_backend_buffer_t buffer, uint8_t value)
{
    static auto *clear = replaced(ggml_backend_buffer_clear, GGML_BASE);
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
    static auto *text = replaced(gguf_kv_to_str, LLAMA);
    if (gguf_get_kv_type(file, number) == GGUF_TYPE_ARRAY)
        return "[...]";
    return text(file, number);
}

// Return the byte that a character of a byte-level token stands for; llama.cpp looks each of a
// vocabulary's up in a hash table of strings.
EXPORT_CPP uint8_t unicode_utf8_to_byte(const std::string &character)
{
    static auto *byte_of = replaced(unicode_utf8_to_byte, LLAMA);
    static const BytesByCharacter bytes;
    int byte = bytes.find(character);
    return byte < 0 ? byte_of(character) : static_cast<uint8_t>(byte);
}

// Map the weights, and where they are in memory already, enter their pages on a thread of its own,
// which has a processor for itself until the first prompt is computed.
EXPORT_CPP void llama_model_loader::init_mappings(bool prefetch, llama_mlocks *locks)
{
    using Method = void(llama_model_loader *, bool, llama_mlocks *);
    static auto *map = replaced(function_of<Method>(&llama_model_loader::init_mappings), LLAMA);
    static auto *begin_of = in_llama<char *(const llama_mmap *)>("_ZNK10llama_mmap4addrEv");
    static auto *size_of = in_llama<size_t(const llama_mmap *)>("_ZNK10llama_mmap4sizeEv");
    bool is_there = prefetch && !locks;
    for (const auto &file : files)
        is_there = is_there && is_in_memory(file.get());
    map(this, prefetch && !is_there, locks);
    for (const auto &mapping : mappings)
        if (is_there)
            std::thread(enter_pages, begin_of(mapping.get()), size_of(mapping.get())).detach();
}

// Open libllama and the first backend of several that suits this processor, without Python, whose
// main thread imports meanwhile.
//
// llama: The path of libllama.
// backends: The paths of backends that may be missing, a null pointer behind the last.
//
// Returns: Whether there is such a backend.
EXPORT bool solofile_open(const char *llama, const char *const *backends)
{
    if (!dlopen(llama, RTLD_NOW))
        return false;
    using Log = void(ggml_log_callback, void *);
    reinterpret_cast<Log *>(find(GGML_BASE, "ggml_log_set"))(say_nothing, nullptr);
    using Load = ggml_backend_reg_t(const char *);
    auto *load = reinterpret_cast<Load *>(find(GGML, "ggml_backend_load"));
    for (; *backends; backends++) {
        void *backend = dlopen(*backends, RTLD_NOW);
        if (!backend)
            continue;
        auto *score = reinterpret_cast<int (*)()>(dlsym(backend, "ggml_backend_score"));
        if (score && score())
            return load(*backends) != nullptr;
        dlclose(backend);
    }
    return false;
}

// Make room for the calling thread's next small pieces of memory at once. The C library asks the
// system for each few pages, which waits for the other threads, and stops them.
EXPORT void solofile_make_room()
{
    // The first is mapped by itself. Once it is freed, glibc takes pieces that are smaller from the
    // thread's own memory, which it keeps up to twice that size.
    for (size_t size : {ROOM_BYTES, ROOM_BYTES - (1 << 16)}) {
        void *volatile piece = malloc(size);
        free(piece);
    }
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
