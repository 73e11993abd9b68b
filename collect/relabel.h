/*
 * relabel.h: Prometheus' relabelling of targets.
 *
 * The actions and their defaults are those of relabel_config in Prometheus'
 * documentation: replace, keep, drop, keepequal, dropequal, hashmod, labelmap,
 * labeldrop, labelkeep, lowercase, uppercase. Expressions are anchored at both
 * ends; they are matched by PCRE2, which knows what RE2 knows, under a limit on
 * its work.
 */
#ifndef PF_COLLECT_RELABEL_H
#define PF_COLLECT_RELABEL_H

#include "fields.h"
#include "labelset.h"

enum pf_relabel_action {
	PF_RELABEL_REPLACE,
	PF_RELABEL_KEEP,
	PF_RELABEL_DROP,
	PF_RELABEL_KEEPEQUAL,
	PF_RELABEL_DROPEQUAL,
	PF_RELABEL_HASHMOD,
	PF_RELABEL_LABELMAP,
	PF_RELABEL_LABELDROP,
	PF_RELABEL_LABELKEEP,
	PF_RELABEL_LOWERCASE,
	PF_RELABEL_UPPERCASE,
};

struct pf_relabel_rule {
	int action; /* enum pf_relabel_action */
	struct pf_words source_labels;
	const char *separator, *target_label, *regex, *replacement;
	uint64_t modulus;
	void *compiled; /* pcre2_code * */
};

struct pf_relabel {
	struct pf_relabel_rule *items; /* the pool's; compiled expressions are owned */
	size_t count;
};

/* Reads a list of rules; for PF_FIELD_CUSTOM. */
void pf_relabel_read(struct pf_reading *r, const struct pf_place *place, void *relabel);
void pf_relabel_release(struct pf_relabel *relabel);

/* Applies the rules in turn; *kept tells whether the target stays. PF_ENOMEM; PF_EUSAGE: the limit. */
int pf_relabel_apply(
    const struct pf_relabel *relabel, struct pf_labelset *labels, bool *kept, struct pf_error *err);

/* What hashmod makes of a value: its MD5's last 8 bytes, big-endian, modulo n (> 0). */
uint64_t pf_hashmod(const char *value, uint64_t n);

#endif
