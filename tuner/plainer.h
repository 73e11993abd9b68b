/* plainer.h: settings that are others without some of what these set. */
#ifndef PF_TUNER_PLAINER_H
#define PF_TUNER_PLAINER_H

#include "tuner/search.h"

/*
 * The most promising of those that set a part of what a trial sets ("glibc arenas 1" of "glibc arenas 1, trim 128K"),
 * unless by the runs so far it is clearly worse; 0: there is none.
 */
size_t pf_search_plainer(const struct pf_search *s, size_t trial);

#endif
