/*
 * code_facts.h: what the compiler left of each source function in a binary.
 *
 * Of every function by its name as profiles spell it, wherever it was inlined:
 * the places (line offset and discriminator) that instructions come from, and
 * the calls at them, inlined ones too. A function with code of its own also gets
 * a fingerprint: the classes of its instructions, where they jump, what they
 * call and their places; registers, constants and addresses do not matter.
 */
#ifndef PF_CONVERT_CODE_FACTS_H
#define PF_CONVERT_CODE_FACTS_H

#include <stdbool.h>

#include "convert/functions.h"

struct pf_binary;

struct pf_fact_function {
	uint32_t name_hash;
	uint32_t start_line; /* 0: no instruction comes from it */
	uint32_t last_offset;
	uint32_t bodies; /* symbols of this name; 1: the fingerprint is good */
	uint64_t fingerprint;
};

struct pf_fact_place {
	uint32_t function;
	struct pf_place place;
};

struct pf_fact_call {
	uint32_t function, offset;
	uint32_t callee; /* a function; PF_NONE: by pointer */
};

/* A zeroed struct is empty. */
struct pf_code_facts {
	struct pf_strings names;
	struct pf_fact_function *functions; /* a function is a string of names */
	struct pf_fact_place *places;
	struct pf_fact_call *calls;
	size_t function_capacity, place_count, place_capacity, call_count, call_capacity;
	struct pf_index place_index, call_index;
};

int pf_code_facts_init(struct pf_code_facts *f, struct pf_error *err);
void pf_code_facts_release(struct pf_code_facts *f);

/*
 * Reads the code of the functions that `wanted` names and, if `everywhere`, all
 * other code too where some of them were not met otherwise: they may be inlined
 * there. PF_EINPUT on line information that cannot be read; PF_ENOMEM.
 */
int pf_code_facts_read(struct pf_code_facts *f, struct pf_binary *binary,
    const struct pf_strings *wanted, bool everywhere, struct pf_error *err);

/* Adds a function, or a call at a place. PF_ENOMEM. */
int pf_code_facts_function(
    struct pf_code_facts *f, const char *name, uint32_t *function, struct pf_error *err);
int pf_code_facts_call(struct pf_code_facts *f, uint32_t function, uint32_t offset, uint32_t callee,
    struct pf_error *err);

/* The function of this name, PF_NONE if unknown; whether a place, a call is there. */
uint32_t pf_code_facts_find(const struct pf_code_facts *f, const char *name);
bool pf_code_facts_has_place(
    const struct pf_code_facts *f, uint32_t function, struct pf_place place);
bool pf_code_facts_has_call(
    const struct pf_code_facts *f, uint32_t function, uint32_t offset, uint32_t callee);

#endif
