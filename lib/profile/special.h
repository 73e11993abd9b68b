/*
 * special.h: code that lies in no file: the kernel, the vdso, what a JIT compiler made; and the agent's.
 *
 * Such code has no build id and no symbols to look up, so a profile's own names
 * for it are kept, and without one it is called by its mapping.
 */
#ifndef PF_PROFILE_SPECIAL_H
#define PF_PROFILE_SPECIAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a mapping's name is that of a file. "[vdso]", "[kernel.kallsyms]",
 * "//anon", "/tmp/perf-123.map", "/memfd:jit", "[JIT] tid 7" and "" are not.
 */
bool pf_mapping_is_file(const char *filename);

/* Whether an address can only be the kernel's: the upper half on x86-64 and AArch64. */
static inline bool
pf_address_is_kernel(uint64_t address)
{
	return address >= (uint64_t)0xffff << 48;
}
#define PF_KERNEL_NAME "[kernel]"
/* Of what lies in no mapping. */
#define PF_UNKNOWN_NAME "<unknown>"

/* What the file name of the agent's library begins with. */
#define PF_AGENT_NAME "libprofuse-agent"

#endif
