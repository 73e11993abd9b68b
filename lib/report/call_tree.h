/*
 * call_tree.h: the kept samples of a view as one tree of calls, from the root.
 *
 * Node 0 is the root; a node's number is greater than its parent's. Values are
 * those of samples that end in a node, in all sample types, apart for samples
 * of a base (whose sign is turned: they are what was before).
 */
#ifndef PF_REPORT_CALL_TREE_H
#define PF_REPORT_CALL_TREE_H

#include "report/view.h"

struct pf_call {
	uint32_t parent, name; /* name of the view's frames; 0 for the root */
	bool inlined;          /* into its parent, wherever it was seen */
};

struct pf_call_tree {
	struct pf_call *calls;
	size_t count, capacity;
	int64_t *self;   /* count * type_count */
	int64_t *before; /* the same of the base; NULL where there is none */
	size_t self_capacity, before_capacity;
	size_t type_count;
};

/* Values that do not fit are cut off at the ends of 64 bits. PF_ENOMEM. */
int pf_call_tree_init(struct pf_call_tree *t, const struct pf_view *v, struct pf_error *err);
void pf_call_tree_release(struct pf_call_tree *t);

/*
 * Says of each call whether it is worth a bar: in some sample type it and all
 * below it have at least the share `least` of everything, and no more than
 * `most` calls are kept (the share is doubled until that holds). *kept is to be
 * freed; a kept call's parent is kept. PF_ENOMEM.
 */
int pf_call_tree_select(
    const struct pf_call_tree *t, double least, size_t most, uint8_t **kept, struct pf_error *err);

#endif
