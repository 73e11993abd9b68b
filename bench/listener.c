/* listener.c: see listener.h. */
#include "bench/listener.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTENING = 0x0a, MOST_HOLDERS = 256 };

static unsigned
port_of(const struct addrinfo *a)
{
	if (a->ai_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_port);
}

/* The inode of a socket that listens at this port, in one of the kernel's tables; 0: none. */
static unsigned long
listening_inode(const char *table, unsigned port)
{
	FILE *f = fopen(table, "re");
	unsigned long inode = 0, found = 0;
	char line[512];

	while (f && !found && fgets(line, sizeof line, f)) {
		unsigned local, state;
		if (sscanf(line,
			" %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
			&local, &state, &inode) == 3 &&
		    local == port && state == LISTENING)
			found = inode;
	}
	if (f)
		fclose(f);
	return found;
}

static bool
holds(pid_t pid, const char *socket)
{
	char path[320], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *files;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	files = opendir(path);
	while (files && !found && (entry = readdir(files))) {
		ssize_t n;
		snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, entry->d_name);
		n = readlink(path, target, sizeof target - 1);
		if (n > 0) {
			target[n] = 0;
			found = strcmp(target, socket) == 0;
		}
	}
	if (files)
		closedir(files);
	return found;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *at;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f && !fgets(text, sizeof text, f))
		text[0] = 0;
	if (f)
		fclose(f);
	at = strrchr(text, ')'); /* then a blank, the state, and the parent */
	return at && strlen(at) > 4 ? (pid_t)strtol(at + 4, NULL, 10) : 0;
}

pid_t
pf_listener_find(const struct addrinfo *address)
{
	unsigned long inode = listening_inode("/proc/net/tcp", port_of(address));
	pid_t holders[MOST_HOLDERS];
	size_t count = 0;
	char socket[64];
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!inode)
		inode = listening_inode("/proc/net/tcp6", port_of(address));
	snprintf(socket, sizeof socket, "socket:[%lu]", inode);
	while (proc && inode && count < MOST_HOLDERS && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && holds(pid, socket))
			holders[count++] = pid;
	}
	if (proc)
		closedir(proc);
	for (size_t i = 0; i < count; i++) {
		pid_t parent = parent_of(holders[i]);
		bool child = false;
		for (size_t j = 0; j < count; j++)
			child = child || holders[j] == parent;
		if (!child)
			return holders[i];
	}
	return 0;
}
