#include "sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* FIPS 180-4, section 4.2.2: the fractions of the first 64 primes' cube roots. */
static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, int bits)
{
    return word >> bits | word << (32 - bits);
}

static void expand(const uint8_t *block, uint32_t words[64])
{
    for (int i = 0; i < 16; i++, block += 4)
        words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
                   block[3];
    for (int i = 16; i < 64; i++) {
        uint32_t early = words[i - 15], late = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] +
                   (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) +
                   (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
    }
}

static void compress_plainly(uint32_t state[8], const uint8_t *block)
{
    uint32_t words[64];
    expand(block, words);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t sum_e = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t sum_a = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        uint32_t step = h + sum_e + choice + ROUND_CONSTANTS[i] + words[i];
        h = g, g = f, f = e, e = d + step;
        d = c, c = b, b = a, a = step + sum_a + majority;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined(__x86_64__)

/* Intel 64 and IA-32 Software Developer's Manual, CPUID: leaf 1, ecx; leaf 7, ebx. */
static bool has_instructions(void)
{
    unsigned a, b, c, d;
    bool has_sse41 = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
    return has_sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The same with the processor's own instructions, which keep the state as two halves of words
 * a b e f and c d g h, the last word of each first, and do four rounds at a time. */
__attribute__((target("sha,sse4.1")))
static void compress_by_instructions(uint32_t state[8], const uint8_t *block)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i first = _mm_alignr_epi8(cdab, efgh, 8), second = _mm_blend_epi16(efgh, cdab, 0xf0);
    __m128i abef = first, cdgh = second, words[16];
    for (int i = 0; i < 16; i++) {
        if (i < 4) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(block + 16 * i));
            words[i] = _mm_shuffle_epi8(bytes, big_endian);
        } else {
            __m128i early = _mm_sha256msg1_epu32(words[i - 4], words[i - 3]);
            __m128i between = _mm_alignr_epi8(words[i - 1], words[i - 2], 4);
            words[i] = _mm_sha256msg2_epu32(_mm_add_epi32(early, between), words[i - 1]);
        }
        __m128i constants = _mm_loadu_si128((const __m128i *)(ROUND_CONSTANTS + 4 * i));
        __m128i sums = _mm_add_epi32(words[i], constants);
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0e));
    }
    abef = _mm_add_epi32(abef, first), cdgh = _mm_add_epi32(cdgh, second);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

static bool has_instructions(void)
{
    return false;
}

static void compress_by_instructions(uint32_t state[8], const uint8_t *block)
{
    compress_plainly(state, block);
}

#endif

static void compress(struct sha256 *sha, const uint8_t *block)
{
    if (sha->has_instructions)
        compress_by_instructions(sha->state, block);
    else
        compress_plainly(sha->state, block);
}

void sha256_begin(struct sha256 *sha)
{
    static const uint32_t INITIAL_STATE[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memcpy(sha->state, INITIAL_STATE, sizeof sha->state);
    sha->num_bytes = 0;
    sha->has_instructions = has_instructions();
}

void sha256_add(struct sha256 *sha, const uint8_t *bytes, size_t size)
{
    size_t filled = sha->num_bytes % SHA256_BLOCK_BYTES;
    sha->num_bytes += size;
    if (filled) {
        size_t room = SHA256_BLOCK_BYTES - filled;
        size_t taken = size < room ? size : room;
        memcpy(sha->block + filled, bytes, taken);
        if (taken < room)
            return;
        compress(sha, sha->block);
        bytes += taken, size -= taken;
    }
    for (; size >= SHA256_BLOCK_BYTES; bytes += SHA256_BLOCK_BYTES, size -= SHA256_BLOCK_BYTES)
        compress(sha, bytes);
    memcpy(sha->block, bytes, size);
}

void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_BYTES])
{
    static const uint8_t PADDING[SHA256_BLOCK_BYTES] = {0x80};
    uint64_t num_bits = sha->num_bytes * 8;
    size_t filled = sha->num_bytes % SHA256_BLOCK_BYTES;
    sha256_add(sha, PADDING, filled < 56 ? 56 - filled : 120 - filled);
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(num_bits >> (56 - 8 * i));
    sha256_add(sha, length, sizeof length);
    for (int i = 0; i < SHA256_BYTES; i++)
        digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
