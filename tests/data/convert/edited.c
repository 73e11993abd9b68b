/* A program that the test of stale profiles edits: see tests/integration/convert_stale.sh. */
#include <stdio.h>
#include <stdlib.h>
static int table[4096];
__attribute__((noinline)) int leaf(int x)
{
	if (x & 1)
		return x * 3;
	return x / 2;
}
static inline int small(int x)
{
	return x * 7 + 1;
}
__attribute__((noinline)) int unchanged(int n)
{
	int s = 0;
	for (int i = 0; i < n; i++)
		s += leaf(small(i) ^ table[i & 4095]);
	return s;
}
__attribute__((noinline)) int grown(int n)
{
	int s = 0;
	for (int i = 0; i < n; i++) {
		s += leaf(i);
		if (s > 1000000)
			s = small(s);
	}
	return s;
}
__attribute__((noinline)) int removed(int n)
{
	int s = 1;
	for (int i = 1; i < n; i++)
		s = s * i % 1000003;
	return s;
}
__attribute__((noinline)) int moved(int n)
{
	int s = 0;
	for (int i = 0; i < n; i++)
		s ^= table[(i * 7) & 4095] + leaf(i + s);
	return s;
}
int main(int argc, char **argv)
{
	int n = atoi(argv[1]);
	for (int i = 0; i < 4096; i++)
		table[i] = rand();
	printf("%d %d %d %d\n", unchanged(n), grown(n), removed(n), moved(n));
}
