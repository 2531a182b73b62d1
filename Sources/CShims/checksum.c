#include "CShimsChecksum.h"
#include <string.h>

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *p, size_t n) {
  while (n--) {
    crc ^= *p++;
    for (int k = 0; k < 8; k++) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
  }
  return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

static inline uint64_t word_at(const uint8_t *p) {
  uint64_t w;
  memcpy(&w, p, 8);
  return w;
}

// One crc32 instruction takes three cycles and a new one can begin each cycle: three lanes of 256 bytes go side by side. The checksum of a
// lane is carried over the bytes after it by a multiplication with x^(8n) modulo the polynomial (Gopal and others, "Fast CRC computation
// for iSCSI polynomial using CRC32 instruction", Intel, 2011). The crc32 of the product reduces it and multiplies by x^32, and a product of
// reflected numbers is one bit low: the constants are x^(8n - 33), reflected.
#define LANE 256
#define CARRY_1 0xb9e02b86u
#define CARRY_2 0xdd7e3b0cu

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t carried(uint64_t crc, uint32_t by) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128(by), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n) {
  uint64_t c = crc;
  while (n >= 3 * LANE) {
    uint64_t c1 = 0, c2 = 0;
    for (size_t i = 0; i < LANE; i += 8) {
      c = _mm_crc32_u64(c, word_at(p + i));
      c1 = _mm_crc32_u64(c1, word_at(p + i + LANE));
      c2 = _mm_crc32_u64(c2, word_at(p + i + 2 * LANE));
    }
    c = carried(c, CARRY_2) ^ carried(c1, CARRY_1) ^ c2;
    p += 3 * LANE;
    n -= 3 * LANE;
  }
  while (n >= 8) {
    c = _mm_crc32_u64(c, word_at(p));
    p += 8;
    n -= 8;
  }
  while (n--) c = _mm_crc32_u8((uint32_t)c, *p++);
  return (uint32_t)c;
}
static int has_hardware(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
__attribute__((target("+crc"))) static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n) {
  while (n >= 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    crc = __crc32cd(crc, w);
    p += 8;
    n -= 8;
  }
  while (n--) crc = __crc32cb(crc, *p++);
  return crc;
}
static int has_hardware(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#else
static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t n) { return crc32c_portable(crc, p, n); }
static int has_hardware(void) { return 0; }
#endif

uint32_t CShims_crc32c(uint32_t crc, const void *bytes, size_t count) {
  crc = ~crc;
  crc = has_hardware() ? crc32c_hardware(crc, bytes, count) : crc32c_portable(crc, bytes, count);
  return ~crc;
}
