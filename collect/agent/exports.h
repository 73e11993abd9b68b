/*
 * exports.h: names for code from the image in memory: the kernel's in user space, which has no file, and the
 * agent's own wrappers, which everybody is to know by the call that the host made.
 */
#ifndef PF_AGENT_EXPORTS_H
#define PF_AGENT_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/modules.h"

/*
 * The name of the exported function that holds `pc` in the image whose ELF header is at
 * `base` in memory; writes it to `name` and returns its start, or 0.
 */
uint64_t pf_export_name(uint64_t base, uint64_t pc, char *name, size_t size);

/* Whether a mapping is the agent's library; linked into the host, the agent has none of its own. */
bool pf_is_agent(const struct pf_mapping *mapping);

#endif
