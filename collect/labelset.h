/*
 * labelset.h: a target's labels while they are worked on, and afterwards.
 *
 * As in Prometheus, a label with an empty value is one that isn't there. Names
 * that begin with "__" are for relabelling only and are dropped at its end.
 */
#ifndef PF_COLLECT_LABELSET_H
#define PF_COLLECT_LABELSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/store.h>

struct pf_error;

struct pf_labelset {
	struct pf_label_text {
		char *name, *value; /* owned */
	} *items;                   /* owned; ordered by name */
	size_t count, capacity;
};

/* The value, or "". */
const char *pf_labelset_get(const struct pf_labelset *set, const char *name);
/* Sets a label; an empty value removes it. PF_ENOMEM leaves the set as it was. */
int pf_labelset_set(
    struct pf_labelset *set, const char *name, const char *value, struct pf_error *err);
void pf_labelset_remove(struct pf_labelset *set, const char *name);
/* Drops every label whose name begins so. */
void pf_labelset_drop_prefix(struct pf_labelset *set, const char *prefix);
int pf_labelset_copy(struct pf_labelset *to, const struct pf_labelset *from, struct pf_error *err);
void pf_labelset_release(struct pf_labelset *set);

/* Whether a name is one that labels may have: [a-zA-Z_][a-zA-Z0-9_]*. */
bool pf_label_name_valid(const char *name);

/*
 * Labels that don't change any more, in one block of memory: to be freed with
 * free(). labels[i] point into it.
 */
struct pf_frozen_labels {
	uint64_t hash;
	size_t count;
	struct pf_store_label labels[];
};

struct pf_frozen_labels *pf_labelset_freeze(const struct pf_labelset *set, struct pf_error *err);
const char *pf_frozen_get(const struct pf_frozen_labels *labels, const char *name);
bool pf_frozen_equal(const struct pf_frozen_labels *a, const struct pf_frozen_labels *b);

#endif
