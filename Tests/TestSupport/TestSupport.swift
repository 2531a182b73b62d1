/// Models and fake disks that tests of several modules share.
package enum TestSupport {}
