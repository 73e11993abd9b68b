/* formats.c: which reader takes which bytes; see formats.h. */
#include "profile/formats.h"

#define ENTRY(NAME) {pf_##NAME##_recognise, pf_##NAME##_read}

static const struct pf_format formats[] = {
    ENTRY(cpu),
    ENTRY(heap),
    ENTRY(jemalloc),
    ENTRY(counts),
    ENTRY(goroutines),
    ENTRY(threadz),
    ENTRY(java), /* its contention texts begin as C++'s do */
    ENTRY(contention),
};

const struct pf_format *
pf_format_find(const uint8_t *bytes, size_t size)
{
	size = size < PF_FORMAT_BYTES ? size : PF_FORMAT_BYTES;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (formats[i].recognise(bytes, size))
			return &formats[i];
	}
	return NULL;
}
