/*
 * stacks.h: the sum of many profiles, as a trie of stacks per binary.
 *
 * A node is one frame below its parent (the caller); node 0 is the root. A
 * frame is an address in a binary or, where a profile carries no addresses, a
 * function with line and start line. Values sit at the node of a stack's leaf:
 * one checked int64 per sample type, so the sum does not depend on the order of
 * the profiles, and an overflow is an error, never a wrap.
 *
 * Binaries are told apart by build id, else by an identity given explicitly;
 * profiles of one file name without either are merged only on request. An
 * address is kept as the offset in the binary's file (or as a virtual address
 * where the profile was already normalised): the binary itself, with its
 * segments, is only opened later, once.
 *
 * Addresses are those of profile.proto: the leaf's own instruction, in callers
 * a byte inside the call instruction (writers subtract one from a return address).
 */
#ifndef PF_PROFILE_STACKS_H
#define PF_PROFILE_STACKS_H

#include "profile/model.h"

enum pf_frame_kind {
	PF_FRAME_OFFSET,  /* position in the binary's file */
	PF_FRAME_ADDRESS, /* virtual address as linked */
	PF_FRAME_LINE,    /* symbolized elsewhere: function, start line, line */
	PF_FRAME_UNKNOWN, /* no mapping and no line */
};

struct pf_stack_binary {
	uint32_t filename; /* strings of the stacks */
	uint32_t build_id; /* string, lower-case hex; 0: none */
	uint32_t identity; /* string given explicitly; 0: none */
};

struct pf_stack_frame {
	enum pf_frame_kind kind;
	uint32_t binary;          /* PF_NONE where no mapping was given */
	uint64_t address;         /* OFFSET, ADDRESS, UNKNOWN */
	uint32_t function;        /* LINE: string: the system name where given, else the name */
	uint32_t filename;        /* LINE: string */
	int64_t start_line, line; /* LINE */
	bool inlined; /* LINE: part of its caller's code, the frame of the parent node */
	bool
	    again; /* LINE: a leaf's, at the very address from which it was called; where asked for */
};

struct pf_stack_node {
	uint32_t parent; /* PF_NONE for the root; always smaller than the node itself */
	uint32_t frame;
};

struct pf_stacks {
	struct pf_strings strings;
	struct pf_value_type *types; /* strings of the stacks */
	size_t type_count;
	struct pf_stack_binary *binaries;
	size_t binary_count, binary_capacity;
	struct pf_stack_frame *frames;
	size_t frame_count, frame_capacity;
	struct pf_stack_node *nodes; /* [0] is the root */
	size_t node_count, node_capacity;
	int64_t *values; /* node_count * type_count; a value belongs to stacks that end here */
	size_t value_capacity;
	struct pf_index frame_index, node_index, binary_index;
	int64_t duration_nanos;          /* sum, saturating */
	int64_t first_nanos, last_nanos; /* of time_nanos; 0: unknown for all */
	uint64_t profile_count, undated_count;
	uint64_t sample_count; /* samples added, before merging */
};

struct pf_stacks_options {
	bool merge_by_filename; /* binaries without build id: same file name, same binary */
	bool prefer_lines; /* a location with lines becomes LINE frames even if it has an address */
	bool tell_again;   /* set `again` of frames */
	const char *identity; /* explicit identity of a main binary without build id, or NULL */
};

/* An empty sum. */
int pf_stacks_init(struct pf_stacks *s, struct pf_error *err);
void pf_stacks_release(struct pf_stacks *s);

/* Forgets the stacks, which hold most of the memory; types, names and binaries stay. Nothing can be added any more. */
void pf_stacks_forget(struct pf_stacks *s);

/*
 * Adds every sample. `name` stands for the profile in messages; options may be
 * NULL. The first profile fixes the sample types; one whose types differ is
 * PF_EINPUT, but for steps that one has and others lack (steps.h). A second profile with samples in a binary of a file name already
 * met in an earlier one, where there is no build id and no identity, is
 * PF_EINPUT unless merge_by_filename ([vdso] and the like always merge).
 * PF_EINPUT on overflow too. After a failure the sum is incomplete: release it.
 */
int pf_stacks_add(struct pf_stacks *s, const struct pf_profile *p, const char *name,
    const struct pf_stacks_options *options, struct pf_error *err);

/* The sum of type t over all nodes, saturating. */
int64_t pf_stacks_total(const struct pf_stacks *s, size_t t);

#endif
