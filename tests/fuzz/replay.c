/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over the files of a corpus without libFuzzer, each several times.
 *
 *     api_replay [FILE...]        none: those of tests/fuzz/corpus/api
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SIZE 4096
#define TIMES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
    static uint8_t data[MAX_SIZE];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    fprintf(stderr, "%s, %zu bytes\n", path, size);
    for (int i = 0; i < TIMES; i++)
        LLVMFuzzerTestOneInput(data, size);
}

static unsigned replay_folder(void)
{
    const char *source = getenv("srcdir");
    char folder[2000], path[3000];
    unsigned count = 0;
    const struct dirent *entry;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/api", source != NULL ? source : ".");
    DIR *stream = opendir(folder);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            replay(path);
            count++;
        }
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)argc - 1;
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (count == 0)
        count = replay_folder();
    printf("%u scripts, each %d times\n", count, TIMES);
    return count > 0 ? 0 : 1;
}
