// Command dist makes the files of a release from the source tree around it: packages
// for Debian and Fedora, archives for other systems, their checksums and bills of
// materials.
//
// Built twice from the same source, with the same Go and the same SOURCE_DATE_EPOCH, the
// files are equal. It is a module of its own, so that what packs the program does not
// reach those who build it.
package main
