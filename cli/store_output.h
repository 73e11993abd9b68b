/* store_output.h: what profuse store prints: tables for people, objects for programs. */
#ifndef CLI_STORE_OUTPUT_H
#define CLI_STORE_OUTPUT_H

#include <profuse/store.h>

#include <jansson.h>

/* The newest `limit` entries (0: all), a line each, oldest first, or as the value of "profiles". */
int store_list_text(struct pf_selection *selection, size_t limit, struct pf_error *err);
int store_list_json(struct pf_selection *selection, size_t limit, struct pf_error *err);

/* One entry as an object; a new reference, NULL without memory. */
json_t *store_entry_json(const struct pf_store_entry *entry, bool pinned, const char *store);

/* Prints {"schema": "profuse.store.v1", "verb": VERB} with the members of `rest`, which it takes over. */
int store_print_json(const char *verb, json_t *rest, struct pf_error *err);

/* "profiles/api/cpu-host-2121-20260131T120000Z-0123456789ab.pb.gz" without the folder; `room` bytes. */
void store_file_name(char *name, size_t room, const struct pf_store_entry *entry);

#endif
