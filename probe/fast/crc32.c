/* The ring's checksum, as zlib.crc32. */
#include "fast.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_FOLDING 1
#include <immintrin.h>
#else
#define HAS_FOLDING 0
#endif

static uint32_t table[8][256];

void fast_crc32_init(void) {
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        table[0][n] = crc;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            table[k][n] = table[k - 1][n] >> 8 ^ table[0][table[k - 1][n] & 255];
}

/* Eight bytes at a time. `crc` is that of the bytes before, inverted, as is the result. */
static uint32_t by_table(uint32_t crc, const unsigned char *bytes, size_t length) {
    for (; length >= 8; length -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        word ^= crc;
        crc = table[7][word & 255] ^ table[6][word >> 8 & 255] ^ table[5][word >> 16 & 255] ^
              table[4][word >> 24 & 255] ^ table[3][word >> 32 & 255] ^
              table[2][word >> 40 & 255] ^ table[1][word >> 48 & 255] ^ table[0][word >> 56];
    }
    for (; length; length--, bytes++) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 255];
    return crc;
}

#if HAS_FOLDING
/* Sixteen bytes at a time, without the table's eight kilobytes of cache: a remainder of x^n times a
 * polynomial is the same for n+128 as for n once multiplied by x^128, so that blocks are folded into
 * the next one (Gopal and others, Fast CRC Computation Using PCLMULQDQ, Intel 2009). `length` is a
 * multiple of 16 and not 0. What is left, 16 bytes of the same remainder, goes through the table. */
__attribute__((target("pclmul,sse2"))) static uint32_t by_folding(uint32_t crc,
                                                                  const unsigned char *bytes,
                                                                  size_t length) {
    const __m128i by = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0); /* x^(128-32), x^(128+32) */
    unsigned char rest[16];
    __m128i folded = _mm_loadu_si128((const __m128i *)bytes);
    folded = _mm_xor_si128(folded, _mm_cvtsi32_si128((int)crc));
    while ((length -= 16) > 0) {
        bytes += 16;
        __m128i low = _mm_clmulepi64_si128(folded, by, 0x00);
        __m128i high = _mm_clmulepi64_si128(folded, by, 0x11);
        folded = _mm_xor_si128(_mm_xor_si128(low, high), _mm_loadu_si128((const __m128i *)bytes));
    }
    _mm_storeu_si128((__m128i *)rest, folded);
    return by_table(0, rest, sizeof rest);
}
#endif

uint32_t fast_crc32(const void *data, size_t length) {
    const unsigned char *bytes = data;
    uint32_t crc = ~0u;
#if HAS_FOLDING
    size_t whole = length & ~(size_t)15;
    if (whole && __builtin_cpu_supports("pclmul")) {
        crc = by_folding(crc, bytes, whole);
        bytes += whole;
        length -= whole;
    }
#endif
    return ~by_table(crc, bytes, length);
}
