/* loader.c: see loader.h. */
#include "collect/agent/loader.h"

#include <link.h>

#include "collect/agent/latch.h"

static struct pf_latch latch;

bool
pf_loader_enter(void)
{
	return pf_latch_take(&latch);
}

void
pf_loader_leave(void)
{
	pf_latch_give(&latch);
}

void
pf_loader_forked(void)
{
	latch.word = 0;
}

static uint64_t
text_of(const struct dl_phdr_info *info)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
			return info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
	return 0;
}

struct walk {
	struct pf_loader *loader;
	void (*see)(size_t number, uint64_t text, void *data);
	void *data;
	size_t count;
};

static int
read_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct walk *w = data;
	uint64_t text = text_of(info);

	(void)size;
	/* The main program is always the first; every object says the same of the counters. */
	if (w->count == 0)
		*w->loader = (struct pf_loader){info->dlpi_adds, info->dlpi_subs, text};
	if (w->see)
		w->see(w->count, text, w->data);
	w->count++;
	return !w->see; /* the first is enough */
}

bool
pf_loader_walk(
    struct pf_loader *loader, void (*see)(size_t number, uint64_t text, void *data), void *data)
{
	struct walk w = {loader, see, data, 0};

	*loader = (struct pf_loader){0};
	if (!pf_loader_enter())
		return false;
	dl_iterate_phdr(read_object, &w);
	pf_loader_leave();
	return true;
}

void
pf_loader_read(struct pf_loader *loader)
{
	pf_loader_walk(loader, NULL, NULL);
}

bool
pf_loader_moved(unsigned long long adds, unsigned long long subs)
{
	struct pf_loader now;

	return pf_loader_walk(&now, NULL, NULL) && (now.adds != adds || now.subs != subs);
}
