/*
 * point.h: places where a crash would leave the store half-way.
 *
 * pf_store_point() does nothing. Tests put their own in its place (ld --wrap),
 * which ends the process at a named place, and then look at what is left.
 */
#ifndef PF_STORE_POINT_H
#define PF_STORE_POINT_H

void pf_store_point(const char *name);

#endif
