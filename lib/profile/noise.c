/* noise.c: see noise.h. */
#include "profile/noise.h"

#include <string.h>

static const struct {
	const char *drop, *keep;
} noises[] = {
    [PF_NOISE_HEAP] =
	{
	    .drop = "(__libc_|__|tc_|je_|mi_)?"
		    "(malloc|calloc|realloc|reallocarray|free|cfree|memalign|aligned_alloc|"
		    "posix_memalign|valloc|pvalloc)|"
		    "(mallocx|rallocx|xallocx|dallocx|sdallocx)|"
		    "je_.*|mi_.*|tcmalloc::.*|_ZN8tcmalloc.*|tc_(new|delete).*|"
		    "do_(malloc|memalign|realloc).*|(cpp|debug)_alloc|DoSampledAllocation|"
		    "operator (new|delete).*|_Zn[aw].*|_Zd[al].*|__builtin_(vec_)?(new|delete)|"
		    "(std|__gnu_cxx)::(__)?(new_)?allocator.*::allocate|_M_allocate|"
		    "runtime\\..*",
	    .keep = "runtime\\.(panic|reflectcall|call[0-9]*)",
	},
    [PF_NOISE_LOCKS] =
	{
	    .drop = "(base::)?(RecordLock|SubmitMutex|SubmitSpinLock)ProfileData.*|"
		    "((base::)?(Mutex|SpinLock)::)?"
		    "(AwaitCommon|Unlock|UnlockSlow|SlowUnlock|ReaderUnlock).*|"
		    "((base::)?(MutexLock|SpinLockHolder)::)?~(MutexLock|SpinLockHolder).*",
	    .keep = "",
	},
    [PF_NOISE_CPU] =
	{
	    .drop = "ProfileData::Add|(ProfileData|CpuProfiler)::prof_handler|"
		    "__pthread_sighandler|__restore(_rt)?",
	    .keep = "",
	},
};

int
pf_noise_set(struct pf_builder *b, enum pf_noise noise, struct pf_error *err)
{
	const char *drop = noises[noise].drop, *keep = noises[noise].keep;
	struct pf_profile *p = b->p;
	int rc = pf_builder_string(b, pf_text_of(drop, strlen(drop)), &p->drop_frames, err);

	return rc ? rc : pf_builder_string(b, pf_text_of(keep, strlen(keep)), &p->keep_frames, err);
}
