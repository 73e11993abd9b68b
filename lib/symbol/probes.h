/*
 * probes.h: pseudo-probes: where clang -fpseudo-probe-for-profiling put the
 * blocks and calls of its intermediate code into the machine code.
 *
 * .pseudo_probe_desc names each function by the low half of its name's MD5 (its
 * GUID) and has a checksum of its control flow graph. .pseudo_probe has a tree
 * for each function body in the text: the function's own probes, and below the
 * call sites' probe numbers those of what was inlined there. The layout is
 * described in LLVM's MCPseudoProbe.h; both encodings in use are read: since
 * LLVM 17 a tree starts at the address of its function's symbol, or of the
 * symbol that a sentinel names (a split-off part); before, at an absolute address.
 */
#ifndef PF_SYMBOL_PROBES_H
#define PF_SYMBOL_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_binary;
struct pf_error;

enum pf_probe_kind { PF_PROBE_BLOCK, PF_PROBE_CALL_INDIRECT, PF_PROBE_CALL };

struct pf_probe {
	uint64_t address; /* of the instruction that it stands before */
	uint32_t index;   /* its number in its function, from 1 */
	uint32_t node;
	enum pf_probe_kind kind;
};

/* A function body or an inlined one. A node's number is greater than its parent's. */
struct pf_probe_node {
	uint32_t parent;   /* PF_NONE: a function of its own */
	uint32_t function; /* into functions */
	uint32_t site;     /* of the call in the parent, as a probe's number; 0 for roots */
	uint32_t depth;    /* of inlining, 0 for roots */
};

struct pf_probe_function {
	uint64_t guid, checksum;
	const char *name; /* in the text of `names` */
};

struct pf_probes {
	struct pf_probe *items; /* by address, then as in the section */
	size_t count, capacity;
	struct pf_probe_node *nodes;
	size_t node_count, node_capacity;
	struct pf_probe_function *functions; /* by guid, distinct */
	size_t function_count, function_capacity;
	char *names; /* owned: the functions' names, NUL-terminated */
	size_t name_size, name_capacity;
};

/* Whether the binary has probes at all. */
bool pf_probes_present(const struct pf_binary *binary);

/*
 * Reads the probes of the bodies that `wanted` answers true for, by the symbol
 * where they begin. Bodies of functions that no descriptor or symbol names are
 * left out. PF_EINPUT on a malformed section, PF_ENOMEM; release it in any case.
 */
int pf_probes_read(struct pf_probes *out, const struct pf_binary *binary,
    bool (*wanted)(const void *context, uint64_t start), const void *context, struct pf_error *err);
void pf_probes_release(struct pf_probes *p);

#endif
