/*
 * places.h: from inline chains to the bodies of function profiles.
 *
 * Neighbouring instructions mostly share the outer part of their chains: a
 * finder remembers the last chain and looks up only where the new one differs.
 */
#ifndef PF_CONVERT_PLACES_H
#define PF_CONVERT_PLACES_H

#include "convert/functions.h"
#include "symbol/binary.h"

struct pf_place_level {
	const char *function; /* of the chain, not owned */
	struct pf_place site;
	uint32_t node;
};

struct pf_place_finder {
	struct pf_functions *functions;
	struct pf_place_level levels[PF_INLINE_MAX_DEPTH]; /* outermost first */
	size_t depth;
	const struct pf_inline_chain *chain; /* that they are of, and its number: NULL, 0 */
	uint64_t number;
	char *name; /* owned: room for a canonical name */
	size_t name_capacity;
	uint64_t deep_chains; /* chains left out */
};

/*
 * The place of a frame in its function; false if it has no name or no line. Lines count from the function's
 * start modulo 65536, as the compiler counts them (FunctionSamples::getOffset): those of a file
 * that is included in the function's body may be smaller.
 */
bool pf_frame_place(const struct pf_inline_frame *f, struct pf_place *place);

/* `functions` outlives the finder. */
void pf_place_finder_init(struct pf_place_finder *p, struct pf_functions *functions);
void pf_place_finder_release(struct pf_place_finder *p);

/*
 * The body that a chain's innermost frame stands for, and the root it lies in;
 * both PF_NONE where the chain is empty or has a frame that a profile cannot
 * name (no function, no line).
 * The chain's names must stay where they are while the finder is used. PF_ENOMEM.
 */
int pf_place_find(struct pf_place_finder *p, const struct pf_inline_chain *chain, uint32_t *body,
    uint32_t *root, struct pf_error *err);

/* A symbol's name as profiles have it; good until the next call. NULL: PF_ENOMEM. */
const char *pf_place_canonical(struct pf_place_finder *p, const char *name, struct pf_error *err);

#endif
