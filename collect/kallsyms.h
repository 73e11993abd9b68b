/* kallsyms.h: names of the kernel's functions, from /proc/kallsyms, where it shows addresses. */
#ifndef PF_COLLECT_KALLSYMS_H
#define PF_COLLECT_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

struct pf_kallsyms {
	struct pf_kallsym {
		uint64_t address;
		size_t name; /* in text */
	} *items;            /* owned; by address */
	size_t count, capacity;
	char *text; /* owned */
	size_t text_size, text_capacity;
};

/* Reads them; none where the kernel hides them (kernel.kptr_restrict). PF_ENOMEM. */
int pf_kallsyms_read(struct pf_kallsyms *k, struct pf_error *err);
void pf_kallsyms_release(struct pf_kallsyms *k);
/* The function that holds an address, or NULL. */
const char *pf_kallsyms_find(const struct pf_kallsyms *k, uint64_t address);

#endif
