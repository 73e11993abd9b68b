/*
 * drop.h: the frames that a profile itself says to drop.
 *
 * A profile's drop_frames is a regular expression over function names: what
 * matches, and everything it calls, is not worth showing, unless keep_frames
 * matches too. Frames nearer the root than the first that matches neither stay,
 * so that nothing is dropped whole.
 */
#ifndef PF_REPORT_DROP_H
#define PF_REPORT_DROP_H

#include "report/frames.h"

/* Fills f->cuts. An expression that we cannot compile is ignored and noted. PF_ENOMEM. */
int pf_drop_init(struct pf_frames *f, struct pf_error *err);

/* How many of a location's lines, from the leaf, are dropped wherever it stands. */
uint64_t pf_drop_lines(const struct pf_frames *f, size_t location);

#endif
