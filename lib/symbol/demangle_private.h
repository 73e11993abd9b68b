/*
 * demangle_private.h: a mangled name as it is read, shared by demangle.c (the whole and its text), demangle_names.c
 * and demangle_types.c.
 *
 * A name is a chain of nodes, each with the one that it stands in: what a mangled name repeats by a
 * substitution (S_, S0_ …) is a node once more, and never text that is copied. So a name that refers to
 * itself over and over costs no more than its length. Template arguments and types are read for the
 * substitutions that they count as, and forgotten.
 *
 * Readers return a node's number, and 0 for what is malformed, unknown or too much.
 */
#ifndef PF_SYMBOL_DEMANGLE_PRIVATE_H
#define PF_SYMBOL_DEMANGLE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MOST_NODES = 2048, MOST_SUBSTITUTIONS = 1024, MOST_DEPTH = 192 };

struct pf_name_node {
	uint16_t parent; /* what it stands in, or is made of; 0: nothing */
	uint16_t type;   /* written after the text; 0: none */
	bool joined;     /* right after the parent, without :: */
	bool opaque;     /* nothing that can be written: a function's type, say */
	uint32_t number; /* of a lambda; 0: none */
	uint32_t size;
	const char *text; /* of the mangled name, or static */
};

struct pf_mangled {
	const char *at, *end;
	struct pf_name_node nodes[MOST_NODES];
	uint16_t substitutions[MOST_SUBSTITUTIONS];
	size_t node_count, substitution_count;
	int depth;
};

static inline char
peek(const struct pf_mangled *p, size_t ahead)
{
	return (size_t)(p->end - p->at) > ahead ? p->at[ahead] : '\0';
}

static inline bool
take(struct pf_mangled *p, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(p->end - p->at) < size || memcmp(p->at, text, size) != 0)
		return false;
	p->at += size;
	return true;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits; false where there are none or too many. */
static inline bool
read_number(struct pf_mangled *p, uint32_t *number)
{
	*number = 0;
	if (!is_digit(peek(p, 0)))
		return false;
	for (; is_digit(peek(p, 0)); p->at++) {
		if (*number > 100000000)
			return false;
		*number = *number * 10 + (uint32_t)(*p->at - '0');
	}
	return true;
}

/* A node without room is none: 0, which everybody takes for a failure. */
static inline uint16_t
add_node(struct pf_mangled *p, uint16_t parent, const char *text, size_t size)
{
	if (p->node_count == MOST_NODES)
		return 0;
	p->nodes[p->node_count] =
	    (struct pf_name_node){.parent = parent, .text = text, .size = (uint32_t)size};
	return (uint16_t)p->node_count++;
}

static inline uint16_t
add_text(struct pf_mangled *p, uint16_t parent, const char *text)
{
	return add_node(p, parent, text, strlen(text));
}

static inline uint16_t
add_joined(struct pf_mangled *p, uint16_t parent, const char *text)
{
	uint16_t node = add_text(p, parent, text);

	p->nodes[node].joined = true;
	return node;
}

static inline uint16_t
add_opaque(struct pf_mangled *p)
{
	uint16_t node = add_text(p, 0, "");

	p->nodes[node].opaque = true;
	return node;
}

static inline uint16_t
substitutable(struct pf_mangled *p, uint16_t node)
{
	if (!node || p->substitution_count == MOST_SUBSTITUTIONS)
		return 0;
	p->substitutions[p->substitution_count++] = node;
	return node;
}

/* <name>: of a function or a class, without what it is applied to. */
uint16_t pf_demangle_name(struct pf_mangled *p);
/* <encoding>: a name with the types of its parameters. */
uint16_t pf_demangle_encoding(struct pf_mangled *p);
/* <source-name>: a length and as many characters, in a scope (0: none). */
uint16_t pf_demangle_source_name(struct pf_mangled *p, uint16_t scope);
/* What follows the S of a substitution that is not St. */
uint16_t pf_demangle_substitution(struct pf_mangled *p);
/* <template-param>, "T0_" */
uint16_t pf_demangle_parameter(struct pf_mangled *p);
/* <type> */
uint16_t pf_demangle_type(struct pf_mangled *p);
/* What follows the I of template arguments, up to its E; false where it is malformed or unknown. */
bool pf_demangle_arguments(struct pf_mangled *p);
/* A template's name with the arguments that follow; the name is a substitution unless it came from one. */
uint16_t pf_demangle_instance(struct pf_mangled *p, uint16_t node, bool repeated);

#endif
