/* parts.h: who takes a profile in parts; see pf_profile_stream() in profuse/profile.h for what a part is. */
#ifndef PF_PROFILE_PARTS_H
#define PF_PROFILE_PARTS_H

#include <profuse/profile.h>

struct pf_parts {
	pf_profile_part_function take;
	void *data;
};

/* A part is handed on once it has as many of either. */
enum { PF_PART_SAMPLES = 1024, PF_PART_FRAMES = 1 << 16 };

#endif
