/*
 * function_values.h: samples per function where functions are known by name only.
 *
 * Notes come in any order, one a stack; settled, there is one entry a function,
 * ordered by name and not by the order in which profiles were merged.
 */
#ifndef PF_CONVERT_FUNCTION_VALUES_H
#define PF_CONVERT_FUNCTION_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;

struct pf_function_value {
	const char *name; /* of the stacks */
	uint32_t id;      /* its string */
	int64_t value;    /* samples whose leaf is in this function's code */
	bool usable;      /* any of them */
};

/* A zeroed struct is empty. */
struct pf_function_values {
	struct pf_function_value *items;
	size_t count, capacity;
};

int pf_function_values_add(
    struct pf_function_values *v, const struct pf_function_value *one, struct pf_error *err);
void pf_function_values_settle(struct pf_function_values *v);
void pf_function_values_release(struct pf_function_values *v);

#endif
