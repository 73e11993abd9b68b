/* answerer.h: whose the agent is that answers at an address: of the processes of a service each has one of its own. */
#ifndef PF_TUNER_ANSWERER_H
#define PF_TUNER_ANSWERER_H

#include <stddef.h>
#include <sys/types.h>

#include "core/error.h"

/*
 * PF_EINPUT where the agent's index page says that another process than this one answers. Within its pid namespace
 * (a container's) the process may have another number.
 */
int pf_check_answerer(const void *index, size_t size, pid_t process, struct pf_error *err);

#endif
