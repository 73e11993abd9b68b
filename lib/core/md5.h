/*
 * md5.h: the MD5 digest (RFC 1321), as a name: LLVM's profiles name a function
 * by the first eight bytes of its name's digest. Nothing secret hangs on it.
 */
#ifndef PF_CORE_MD5_H
#define PF_CORE_MD5_H

#include <stddef.h>
#include <stdint.h>

/* The digest of [bytes, bytes + size). */
void pf_md5(const void *bytes, size_t size, uint8_t digest[16]);

/* Its first eight bytes as a little-endian number: what LLVM calls the GUID of a name. */
uint64_t pf_md5_low64(const void *bytes, size_t size);

#endif
