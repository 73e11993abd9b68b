/*
 * maps.h: the memory map at the end of the older formats.
 *
 * Read are lines as in /proc/PID/maps and the short form
 * "START-END: FILE (@OFFSET) BUILDID"; entries that are not executable are left
 * out, and what is no entry is passed over, as such sections hold anything.
 */
#ifndef PF_PROFILE_MAPS_H
#define PF_PROFILE_MAPS_H

#include "profile/builder.h"

/* Whether a line says that the memory map follows. */
bool pf_maps_begin(const struct pf_text *line);

/*
 * Steps on to the memory map unless the current line begins it, reads it to the
 * end, puts the main binary first and gives every location its mapping. Those
 * in none get a last one that covers everything: it says that addresses are
 * taken as they are. To be called once, after the last sample.
 */
int pf_maps_read(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err);
/* The same where the map starts with the next line. */
int pf_maps_read_here(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err);

#endif
