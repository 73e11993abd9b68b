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

static int
read_counters(struct dl_phdr_info *info, size_t size, void *data)
{
	struct pf_loader *loader = data;

	(void)size;
	loader->adds = info->dlpi_adds;
	loader->subs = info->dlpi_subs;
	return 1; /* every object says the same */
}

static int
read_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct pf_loader *loader = data;
	uint64_t text = text_of(info);

	if (loader->count == 0) { /* the main program is always the first */
		read_counters(info, size, data);
		loader->main_text = text;
	}
	loader->recent[loader->count++ % PF_LOADER_RECENT] = text;
	return 0;
}

void
pf_loader_read(struct pf_loader *loader)
{
	*loader = (struct pf_loader){0};
	if (!pf_loader_enter())
		return;
	dl_iterate_phdr(read_object, loader);
	pf_loader_leave();
}

bool
pf_loader_moved(unsigned long long adds, unsigned long long subs)
{
	struct pf_loader now = {0};

	if (!pf_loader_enter())
		return false;
	dl_iterate_phdr(read_counters, &now);
	pf_loader_leave();
	return now.adds != adds || now.subs != subs;
}
