/* pins.h: the profiles that are not to be pruned: an empty file each, so that no writer is needed to pin. */
#ifndef PF_STORE_PINS_H
#define PF_STORE_PINS_H

#include <profuse/store.h>

/* The ids that are pinned now. A zeroed struct is empty. */
struct pf_pins {
	uint8_t (*ids)[PF_STORE_ID_SIZE]; /* owned, ascending */
	size_t count, capacity;
};

int pf_pins_load(struct pf_pins *pins, int root, struct pf_error *err);
bool pf_pins_has(const struct pf_pins *pins, const uint8_t id[PF_STORE_ID_SIZE]);
void pf_pins_release(struct pf_pins *pins);

#endif
