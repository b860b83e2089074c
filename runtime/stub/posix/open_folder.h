/* An open folder, as members.h means it. */
#ifndef OPEN_FOLDER_H
#define OPEN_FOLDER_H

struct open_folder {
    int descriptor;
};

#endif
