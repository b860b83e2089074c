/* An open folder, as members.h means it. */
#ifndef OPEN_FOLDER_H
#define OPEN_FOLDER_H

#include <stddef.h>

struct open_folder {
    const wchar_t *path; /* with the mark of long paths */
};

#endif
