; Installs for one user: no administrator, a Start menu entry, an uninstaller that asks before it deletes the store.
; makensis -DVERSION=1.2.3 -DFOLDER=build/dist/rotation-monitor -DICON=build/made/icon.ico -DSIZE_KB=1 -DOUT=setup.exe
;
; /S installs or removes without asking; a silent removal keeps the user's data.

!ifdef TARGET ; amd64-unicode, where the machine that tries it has no 32 bits
  Target ${TARGET}
!endif
Unicode true
!include MUI2.nsh
!include FileFunc.nsh

!define NAME "Rotation Monitor"
!define ID "rotation-monitor"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${ID}"

Name "${NAME}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "Software\${ID}" "folder"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true
BrandingText "${NAME} ${VERSION}"

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} installer"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT licence"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\${ID}.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; A program that runs holds its files: a file that cannot be opened for writing tells so.
!macro NotRunning un
Function ${un}NotRunning
  again:
  IfFileExists "$INSTDIR\${ID}.exe" 0 free
  ClearErrors
  FileOpen $0 "$INSTDIR\${ID}.exe" a
  IfErrors busy
  FileClose $0
  Goto free
  busy:
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "${NAME} is open. Close its window, then retry." /SD IDCANCEL IDRETRY again
  SetErrorLevel 1
  Quit
  free:
FunctionEnd
!macroend
!insertmacro NotRunning ""
!insertmacro NotRunning "un."

Section "install"
  Call NotRunning
  SetShellVarContext current
  ; What an older version left and this one has not would be loaded all the same.
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}\*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${ID}.exe" "" "$INSTDIR\${ID}.exe" 0
  WriteRegStr HKCU "Software\${ID}" "folder" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${ID}.exe"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

Section "uninstall"
  Call un.NotRunning
  SetShellVarContext current
  ; Only what was installed: the folder may have been chosen where other things lie.
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\${ID}.exe"
  Delete "$INSTDIR\${ID}-cli.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "Software\${ID}"
  IfFileExists "$LOCALAPPDATA\${ID}\*.*" 0 done
  MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Delete your data too? Store, trades, alerts and settings in $LOCALAPPDATA\${ID} cannot be brought back." /SD IDNO IDNO done
  RMDir /r "$LOCALAPPDATA\${ID}"
  done:
SectionEnd
